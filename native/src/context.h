// One ESAPI context and everything it still holds in the TPM. Confined to its worker thread.
#pragma once

#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <tss2/tss2_esys.h>

#include "failure.h"
#include "retrying_tcti.h"

namespace tpm2 {

// Memory that ESAPI allocated.
struct EsysFree {
  void operator()(void* pointer) const { Esys_Free(pointer); }
};
template <typename T>
class Out {
 public:
  T** operator&() { return &value_; }
  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }
  Out() = default;
  Out(const Out&) = delete;
  Out& operator=(const Out&) = delete;
  ~Out() { Esys_Free(value_); }

 private:
  T* value_ = nullptr;
};

class Context {
 public:
  Context(const std::string& tcti, RetryPolicy policy);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  ESYS_CONTEXT* esys() { return esys_; }
  RetryingTcti& tcti() { return tcti_; }

  // Remembers a transient object, session or sequence until it is flushed.
  void Hold(ESYS_TR handle) { held_.insert(handle); }
  bool Holds(ESYS_TR handle) const { return held_.contains(handle); }
  void Flush(ESYS_TR handle);
  // A handle of this addon's own that could not be flushed: tried again before each later command.
  void Orphan(ESYS_TR handle) { orphans_.insert(handle); }
  // Before each command of the caller's.
  void BeginTask();
  // The TPM has let go of it by itself.
  void Forget(ESYS_TR handle) { held_.erase(handle); }

  // ESAPI's record of something that stays in the TPM: a persistent object or an NV index. tpm2-tss 3 gives the same
  // record to everyone who opens the handle and drops it with the first that closes, so the users are counted here.
  ESYS_TR Refer(TPM2_HANDLE handle);
  void AddReference(ESYS_TR handle) { references_[handle]++; }
  void DropReference(ESYS_TR handle);
  // The TPM itself has removed it: no user is left.
  void DropAllReferences(ESYS_TR handle);

  // Flushes all that is still held, whatever the TPM says to it.
  void Drain();

  uint32_t NvBufferMax();

 private:
  RetryingTcti tcti_;
  ESYS_CONTEXT* esys_ = nullptr;
  std::set<ESYS_TR> held_;
  std::set<ESYS_TR> orphans_;
  std::map<ESYS_TR, int> references_;
  uint32_t nv_buffer_max_ = 0;
};

// A held handle that is flushed at the end of the scope unless released.
class Scoped {
 public:
  Scoped(Context& tpm, ESYS_TR handle) : tpm_(tpm), handle_(handle) { tpm_.Hold(handle); }
  ~Scoped();
  Scoped(const Scoped&) = delete;
  Scoped& operator=(const Scoped&) = delete;

  ESYS_TR get() const { return handle_; }
  ESYS_TR Release() { return std::exchange(handle_, ESYS_TR_NONE); }

 private:
  Context& tpm_;
  ESYS_TR handle_;
};

// A reference that is dropped at the end of the scope unless released; nothing in the TPM changes.
class Reference {
 public:
  Reference(Context& tpm, TPM2_HANDLE handle) : tpm_(tpm), handle_(tpm.Refer(handle)) {}
  ~Reference() {
    if (handle_ != ESYS_TR_NONE) tpm_.DropReference(handle_);
  }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;

  ESYS_TR get() const { return handle_; }
  ESYS_TR Release() { return std::exchange(handle_, ESYS_TR_NONE); }

 private:
  Context& tpm_;
  ESYS_TR handle_;
};

}  // namespace tpm2
