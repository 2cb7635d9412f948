// One connection's queue: a thread of its own that opens the TPM, runs one command after another, and cleans up.
// A dedicated thread rather than libuv's pool: a slow chip holds up its own connection and nothing else.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <napi.h>

#include "answer.h"
#include "context.h"

namespace tpm2 {

using Job = std::function<void(Context&, Answer&)>;

// One queued command, and afterwards its outcome.
struct Task {
  Task() = default;
  explicit Task(Napi::Env env) : deferred(Napi::Promise::Deferred::New(env)) {}

  Job job;  // empty: the end of the queue
  std::optional<Napi::Promise::Deferred> deferred;
  Answer answer;
  std::optional<Failure> failure;
};

class Worker : public std::enable_shared_from_this<Worker> {
 public:
  // Starts the thread. The loop is kept alive only while a command is under way.
  static std::shared_ptr<Worker> Start(Napi::Env env, std::string tcti, RetryPolicy policy);

  // Node's thread. Runs `job` after all that were queued before it; rejects once closed.
  Napi::Promise Queue(Napi::Env env, Job job);
  // Node's thread. Closes after the commands already queued: flushes all that is held, then ends the thread.
  Napi::Promise Close(Napi::Env env);
  // Node's thread. Ends every worker of an environment that exits, and waits for them, but not for ever. A process that
  // calls process.exit runs no cleanup hook, so JavaScript calls this from its 'exit' event.
  static void EndAll(napi_env env);
  // From a finalizer, where no JavaScript value may be made: the same, with nobody to tell.
  void Abandon();

 private:
  Worker(std::string tcti, RetryPolicy policy);

  static void Deliver(Napi::Env env, Napi::Function, Worker* worker, Task* task);
  static void Settle(Napi::Env env, const Task& task);
  static void AtEnvironmentEnd(void* data);
  using Delivery = Napi::TypedThreadSafeFunction<Worker, Task, Deliver>;

  void Push(Napi::Env env, std::unique_ptr<Task> task);
  void Run();
  void RunTask(Task& task);
  void Hand(std::unique_ptr<Task> task);
  void Open();
  void Shut();
  std::unique_ptr<Task> Next();
  void Finish(napi_env env);
  void Release(napi_env env);
  void BeginEnd();
  bool AwaitEnd(std::chrono::steady_clock::time_point deadline);

  const std::string tcti_;
  const RetryPolicy policy_;

  // Node's thread alone.
  Delivery delivery_;
  size_t pending_ = 0;
  bool closing_ = false;
  napi_env env_ = nullptr;
  std::shared_ptr<Worker> self_;  // until the thread has ended

  // The worker's thread alone.
  std::optional<Failure> broken_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Task>> tasks_;
  std::unique_ptr<Context> context_;  // replaced under the mutex, used by the worker's thread
  bool ending_ = false;               // the environment goes down: queued commands are dropped
  bool ended_ = false;
  bool given_up_ = false;
  std::thread thread_;
};

}  // namespace tpm2
