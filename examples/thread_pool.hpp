// SPDX-License-Identifier: MIT
/// \file
/// A small thread pool: an executor such as a program of its own would bring along.
#pragma once

#include <bitwright/core/executor.hpp>

#include <algorithm>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

/// Threads that wait for work. Models bitwright::executor; work may itself call parallel_for.
class thread_pool {
 public:
  /// The calling thread of parallel_for works too, so `threads` - 1 are started. 0 counts as 1.
  explicit thread_pool(std::size_t threads = std::thread::hardware_concurrency()) {
    for (std::size_t i = 1; i < threads; ++i) workers_.emplace_back([this] { serve(); });
  }

  ~thread_pool() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;

  std::size_t threads() const { return workers_.size() + 1; }

  /// Calls work(i) once for every i in [0, count) and returns when all calls have returned. After an exception no
  /// further call starts, and the exception leaves here.
  template <std::invocable<std::size_t> Work>
  void parallel_for(std::size_t count, Work&& work) {
    job here{.count = count, .work = std::ref(work)};
    std::unique_lock lock(mutex_);
    jobs_.push_back(&here);
    changed_.notify_all();
    take_part(here, lock);
    changed_.wait(lock, [&here] { return here.running == 0; });
    if (here.error) std::rethrow_exception(here.error);
  }

 private:
  struct job {
    std::size_t count;
    std::function<void(std::size_t)> work;
    std::size_t next = 0, running = 0;
    std::exception_ptr error{};
  };

  // Calls what is left of `current`, with the lock released. Off the list, no other thread begins to look at it.
  void take_part(job& current, std::unique_lock<std::mutex>& lock) {
    ++current.running;
    while (current.next < current.count) {
      const std::size_t index = current.next++;
      lock.unlock();
      std::exception_ptr error;
      try {
        current.work(index);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      if (error) {
        current.error = error;
        current.next = current.count;
      }
    }
    std::erase(jobs_, &current);
    if (--current.running == 0) changed_.notify_all();
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      take_part(*jobs_.back(), lock);
    }
  }

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable changed_;  // Of jobs_, of a job's running, of stopping_.
  std::vector<job*> jobs_;
  bool stopping_ = false;
};

static_assert(bitwright::executor<thread_pool>);
