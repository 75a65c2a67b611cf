// SPDX-License-Identifier: MIT
// Holds the precompiled header of all tests, and nothing else.
