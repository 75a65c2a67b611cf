// SPDX-License-Identifier: MIT
/// \file
/// Storage: codes in as few bits as they have, in orders and blocks that others read too.
#pragma once

#include <bitwright/storage/block.hpp>
#include <bitwright/storage/block_scale.hpp>
#include <bitwright/storage/code_field.hpp>
#include <bitwright/storage/mxfp4.hpp>
#include <bitwright/storage/packed_codes.hpp>
#include <bitwright/storage/packing_order.hpp>
#include <bitwright/storage/packing_paths.hpp>
#include <bitwright/storage/q4_0.hpp>
#include <bitwright/storage/q8_0.hpp>
#include <bitwright/storage/term_list.hpp>
