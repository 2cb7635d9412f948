#include "worker.h"

#include <set>
#include <system_error>
#include <vector>

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

// Every worker whose environment lives. Never destroyed: a thread that was left behind may outlive the statics.
struct Registry {
  std::mutex mutex;
  std::set<Worker*> workers;
};
Registry& All() {
  static Registry* const registry = new Registry;
  return *registry;
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
  {
    std::lock_guard lock(All().mutex);
    All().workers.insert(worker.get());
  }
  try {
    worker->thread_ = std::thread([worker] { worker->Run(); });
  } catch (const std::system_error& error) {
    worker->Release(env);
    throw Napi::Error::New(env, std::string("no thread for the connection: ") + error.what());
  }
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
  try {
    Push(env_, std::make_unique<Task>());
  } catch (const Napi::Error&) {
    // The environment is going down, and ends the worker by itself.
  }
}

void Worker::Push(Napi::Env env, std::unique_ptr<Task> task) {
  if (pending_++ == 0) delivery_.Ref(env);
  std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  changed_.notify_all();
}

// Node's thread. `env` is empty when the environment is going down: the promise dies with it.
void Worker::Deliver(Napi::Env env, Napi::Function, Worker* worker, Task* raw) {
  const std::unique_ptr<Task> task(raw);
  if (env == nullptr) return;
  const auto keep = worker->self_;
  try {
    if (--worker->pending_ == 0) worker->delivery_.Unref(env);
    if (!task->job) worker->Finish(env);
    if (task->deferred) Settle(env, *task);
  } catch (const Napi::Error&) {
    // A worker thread that is being terminated runs no JavaScript any more: nobody waits for the promise.
  }
}

void Worker::Settle(Napi::Env env, const Task& task) {
  try {
    if (task.failure) throw task.failure->ToError(env);
    task.deferred->Resolve(task.answer.ToObject(env));
  } catch (const Napi::Error& error) {
    task.deferred->Reject(error.Value());
  }
}

void Worker::Finish(napi_env env) {
  thread_.join();
  Release(env);
}

void Worker::Release(napi_env env) {
  {
    std::lock_guard lock(All().mutex);
    All().workers.erase(this);
  }
  napi_remove_env_cleanup_hook(env, AtEnvironmentEnd, this);
  delivery_.Release();
  self_.reset();
}

void Worker::EndAll(napi_env env) {
  std::vector<std::shared_ptr<Worker>> workers;
  {
    std::lock_guard lock(All().mutex);
    for (Worker* worker : All().workers) {
      if (worker->env_ == env) workers.push_back(worker->shared_from_this());
    }
  }
  for (const auto& worker : workers) worker->BeginEnd();
  const auto deadline = std::chrono::steady_clock::now() + kGrace;
  for (const auto& worker : workers) worker->AwaitEnd(deadline);
}

// A command that neither ends nor can be given up (tpm2-tss 3 has no poll handles for swtpm) must not hold up the
// process: its thread is left behind, owns the worker, and finds the environment gone when it comes back.
void Worker::AtEnvironmentEnd(void* data) {
  Worker* worker = static_cast<Worker*>(data);
  EndAll(worker->env_);
  const std::shared_ptr<Worker> keep = std::move(worker->self_);
  {
    std::lock_guard lock(All().mutex);
    All().workers.erase(worker);
  }
  if (worker->AwaitEnd(std::chrono::steady_clock::now())) return worker->thread_.join();
  KeepLibraryLoaded();
  worker->thread_.detach();
}

void Worker::BeginEnd() {
  closing_ = true;
  std::lock_guard lock(mutex_);
  ending_ = true;
  tasks_.clear();
  changed_.notify_all();
}

// Whether the thread has ended; past the deadline its command is given up, once.
bool Worker::AwaitEnd(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  const auto ended = [this] { return ended_; };
  if (changed_.wait_until(lock, deadline, ended) || given_up_) return ended_;
  given_up_ = true;
  if (context_) context_->tcti().Abandon();
  return changed_.wait_for(lock, kLastGrace, ended);
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
  } catch (const std::bad_alloc&) {
    broken_ = Failure{TSS2_ESYS_RC_MEMORY, "open"};
  }
}

void Worker::RunTask(Task& task) {
  try {
    if (broken_) throw *broken_;
    context_->BeginTask();
    task.job(*context_, task.answer);
  } catch (const Failure& failure) {
    task.failure = failure;
    // ESAPI refuses every call after its transport failed once; the cause says more than that refusal.
    if (failure.rc == TSS2_TCTI_RC_IO_ERROR || failure.rc == TSS2_TCTI_RC_NO_CONNECTION) broken_ = failure;
  } catch (const std::bad_alloc&) {
    task.failure = Failure{TSS2_ESYS_RC_MEMORY, "call"};
  } catch (const std::exception&) {
    task.failure = Failure{TSS2_ESYS_RC_GENERAL_FAILURE, "call"};
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
