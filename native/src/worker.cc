#include "worker.h"

#include <chrono>

#include <dlfcn.h>

namespace tpm2 {

namespace {

// How long a process that exits waits for the command under way before it gives the answer up.
constexpr auto kGrace = std::chrono::seconds(2);
constexpr auto kLastGrace = std::chrono::milliseconds(200);

// Node unloads an addon with the last environment that used it.
void KeepLibraryLoaded() {
  Dl_info here{};
  if (dladdr(reinterpret_cast<void*>(&KeepLibraryLoaded), &here) != 0) dlopen(here.dli_fname, RTLD_NOW | RTLD_NODELETE);
}

}  // namespace

Worker::Worker(std::string tcti, RetryPolicy policy) : tcti_(std::move(tcti)), policy_(policy) {}

std::shared_ptr<Worker> Worker::Start(Napi::Env env, std::string tcti, RetryPolicy policy) {
  std::shared_ptr<Worker> worker(new Worker(std::move(tcti), policy));
  worker->env_ = env;
  worker->delivery_ = Delivery::New(env, "node-tpm2", 0, 1, worker.get());
  worker->delivery_.Unref(env);
  worker->self_ = worker;
  // Added after the delivery's own hook, so it runs before it: the thread has ended when the delivery goes.
  napi_add_env_cleanup_hook(env, AtEnvironmentEnd, worker.get());
  worker->thread_ = std::thread([worker] { worker->Run(); });
  return worker;
}

Napi::Promise Worker::Queue(Napi::Env env, Job job) {
  auto task = std::make_unique<Task>(env);
  if (closing_) {
    task->deferred->Reject(Failure{kConnectionClosed, "call"}.ToError(env).Value());
    return task->deferred->Promise();
  }
  task->job = std::move(job);
  const Napi::Promise promise = task->deferred->Promise();
  Push(env, std::move(task));
  return promise;
}

Napi::Promise Worker::Close(Napi::Env env) {
  closing_ = true;
  auto task = std::make_unique<Task>(env);
  const Napi::Promise promise = task->deferred->Promise();
  Push(env, std::move(task));
  return promise;
}

void Worker::Abandon() {
  if (ending_) return;
  closing_ = true;
  Push(env_, std::make_unique<Task>());
}

void Worker::Push(Napi::Env env, std::unique_ptr<Task> task) {
  if (pending_++ == 0) delivery_.Ref(env);
  std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  changed_.notify_all();
}

// Node's thread. `env` is empty when the environment is going down: the promise dies with it.
void Worker::Deliver(Napi::Env env, Napi::Function, Worker* worker, Task* raw) {
  std::unique_ptr<Task> task(raw);
  if (env == nullptr) return;
  if (--worker->pending_ == 0) worker->delivery_.Unref(env);
  const bool last = !task->job;
  const auto keep = last ? worker->self_ : nullptr;
  if (last) worker->Finish(env);
  if (!task->deferred) return;
  try {
    if (task->failure) {
      task->deferred->Reject(task->failure->ToError(env).Value());
    } else {
      task->deferred->Resolve(task->answer.ToObject(env));
    }
  } catch (const Napi::Error& error) {
    task->deferred->Reject(error.Value());
  }
}

void Worker::Finish(Napi::Env env) {
  thread_.join();
  napi_remove_env_cleanup_hook(env, AtEnvironmentEnd, this);
  delivery_.Release();
  self_.reset();
}

// A command that neither ends nor can be given up (tpm2-tss 3 has no poll handles for swtpm) must not hold up the
// process: its thread is left behind, owns the worker, and finds the environment gone when it comes back.
void Worker::AtEnvironmentEnd(void* data) {
  Worker* worker = static_cast<Worker*>(data);
  const std::shared_ptr<Worker> keep = std::move(worker->self_);
  std::unique_lock lock(worker->mutex_);
  const auto ended = [worker] { return worker->ended_; };
  worker->ending_ = true;
  worker->tasks_.clear();
  worker->changed_.notify_all();
  if (!worker->changed_.wait_for(lock, kGrace, ended) && worker->context_) {
    worker->context_->tcti().Abandon();
    worker->changed_.wait_for(lock, kLastGrace, ended);
  }
  const bool joined = worker->ended_;
  lock.unlock();
  if (joined) return worker->thread_.join();
  KeepLibraryLoaded();
  worker->thread_.detach();
}

void Worker::Run() {
  Open();
  for (;;) {
    std::unique_ptr<Task> task = Next();
    const bool last = task == nullptr || !task->job;
    if (!last) RunTask(*task);
    if (last) Shut();
    Hand(std::move(task));
    if (last) break;
  }
  std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

// Under the mutex: once the environment is going down, the delivery may be gone any moment.
void Worker::Hand(std::unique_ptr<Task> task) {
  std::lock_guard lock(mutex_);
  if (task != nullptr && !ending_ && delivery_.NonBlockingCall(task.get()) == napi_ok) task.release();
}

// What opening failed with is what every command on the connection fails with.
void Worker::Open() {
  try {
    auto context = std::make_unique<Context>(tcti_, policy_);
    std::lock_guard lock(mutex_);
    context_ = std::move(context);
  } catch (const Failure& failure) {
    broken_ = failure;
  }
}

void Worker::RunTask(Task& task) {
  try {
    if (broken_) throw *broken_;
    context_->tcti().BeginCommand();
    task.job(*context_, task.answer);
  } catch (const Failure& failure) {
    task.failure = failure;
    // ESAPI refuses every call after its transport failed once; the cause says more than that refusal.
    if (failure.rc == TSS2_TCTI_RC_IO_ERROR || failure.rc == TSS2_TCTI_RC_NO_CONNECTION) broken_ = failure;
  } catch (const std::bad_alloc&) {
    task.failure = Failure{TSS2_ESYS_RC_MEMORY, "call"};
  }
}

void Worker::Shut() {
  // The destructor talks to the TPM: not under the mutex, which Abandon's caller takes; the pointer goes last.
  if (context_) context_->Drain();
  std::unique_ptr<Context> context;
  std::lock_guard lock(mutex_);
  context = std::move(context_);
}

std::unique_ptr<Task> Worker::Next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
  if (ending_) return nullptr;
  std::unique_ptr<Task> task = std::move(tasks_.front());
  tasks_.pop_front();
  return task;
}

}  // namespace tpm2
