// A TCTI around the loaded one: resubmits a command that the TPM was too busy for, and lets a wait be given up.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <tss2/tss2_tcti.h>

#include "bytes.h"

namespace tpm2 {

struct RetryPolicy {
  uint32_t retries;         // resubmissions of one command beyond the first
  uint32_t timeout_ms;      // how long one answer may take; 0 is for ever
};

// TPM_RC_YIELDED, TPM_RC_TESTING and TPM_RC_RETRY ask for the same bytes again (TPM 2.0 Part 2 r01.59 §6.6.3):
// session nonces do not roll on a warning, so the command is sent again as it was, below ESAPI, after a pause that doubles.
// Thread-confined to the worker, except Abandon(), which any thread may call.
class RetryingTcti {
 public:
  RetryingTcti(const std::string& conf, RetryPolicy policy);
  ~RetryingTcti();
  RetryingTcti(const RetryingTcti&) = delete;
  RetryingTcti& operator=(const RetryingTcti&) = delete;

  TSS2_TCTI_CONTEXT* context() { return reinterpret_cast<TSS2_TCTI_CONTEXT*>(&face_); }

  // Gives the next command its full number of retries again.
  void BeginCommand() { retries_left_ = policy_.retries; }

  // Ends the wait for an answer now and refuses every later one.
  void Abandon();

 private:
  struct Face {
    TSS2_TCTI_CONTEXT_COMMON_V2 common;
    RetryingTcti* self;
  };

  static RetryingTcti& Of(TSS2_TCTI_CONTEXT* context) { return *reinterpret_cast<Face*>(context)->self; }
  static TSS2_RC Transmit(TSS2_TCTI_CONTEXT*, size_t, const uint8_t*);
  static TSS2_RC Receive(TSS2_TCTI_CONTEXT*, size_t*, uint8_t*, int32_t);
  static TSS2_RC Cancel(TSS2_TCTI_CONTEXT*);
  static TSS2_RC PollHandles(TSS2_TCTI_CONTEXT*, TSS2_TCTI_POLL_HANDLE*, size_t*);
  static TSS2_RC SetLocality(TSS2_TCTI_CONTEXT*, uint8_t);
  static TSS2_RC MakeSticky(TSS2_TCTI_CONTEXT*, TPM2_HANDLE*, uint8_t);
  static void Finalize(TSS2_TCTI_CONTEXT*) {}

  TSS2_RC ReceiveWithRetries(int32_t timeout);
  TSS2_RC AwaitAnswer();
  bool Pause();

  Face face_{};
  TSS2_TCTI_CONTEXT* inner_ = nullptr;
  RetryPolicy policy_;
  uint32_t retries_left_ = 0;
  uint32_t pause_ms_ = 0;
  Bytes command_;   // until it is answered
  Bytes response_;  // whole, until it is taken
  int wake_ = -1;
  std::atomic<bool> abandoned_{false};
};

}  // namespace tpm2
