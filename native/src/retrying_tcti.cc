#include "retrying_tcti.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <tss2/tss2_tctildr.h>
#include <tss2/tss2_tpm2_types.h>

#include "failure.h"

namespace tpm2 {

namespace {

constexpr uint64_t kMagic = 0x6e6f64652d74706dULL;
constexpr size_t kHeaderSize = 10;  // TPMI_ST_COMMAND_TAG tag, UINT32 size, TPM_RC code
constexpr uint32_t kFirstPauseMs = 2;
constexpr uint32_t kLongestPauseMs = 500;

uint32_t ResponseCode(const uint8_t* response) {
  return uint32_t{response[6]} << 24 | uint32_t{response[7]} << 16 | uint32_t{response[8]} << 8 | response[9];
}

bool AsksForRetry(uint32_t rc) { return rc == TPM2_RC_RETRY || rc == TPM2_RC_YIELDED || rc == TPM2_RC_TESTING; }

// Waits until one of the descriptors has something; 0 on time-out, -1 on error.
int PollFor(pollfd* handles, size_t count, int64_t timeout_ms) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    int64_t left = -1;
    if (timeout_ms >= 0) {
      left = std::max<int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count());
    }
    const int ready = poll(handles, count, static_cast<int>(std::min<int64_t>(left, INT32_MAX)));
    if (ready >= 0 || errno != EINTR) return ready;
  }
}

}  // namespace

RetryingTcti::RetryingTcti(const std::string& conf, RetryPolicy policy) : policy_(policy) {
  Check("Tss2_TctiLdr_Initialize", Tss2_TctiLdr_Initialize(conf.c_str(), &inner_));
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) {
    Tss2_TctiLdr_Finalize(&inner_);
    throw Failure{TSS2_TCTI_RC_NO_CONNECTION, "eventfd"};
  }
  auto& v1 = face_.common.v1;
  v1.magic = kMagic;
  v1.version = 2;
  v1.transmit = Transmit;
  v1.receive = Receive;
  v1.finalize = Finalize;
  v1.cancel = Cancel;
  v1.getPollHandles = PollHandles;
  v1.setLocality = SetLocality;
  face_.common.makeSticky = MakeSticky;
  face_.self = this;
}

RetryingTcti::~RetryingTcti() {
  Tss2_TctiLdr_Finalize(&inner_);
  close(wake_);
}

void RetryingTcti::Abandon() {
  abandoned_ = true;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
}

TSS2_RC RetryingTcti::Transmit(TSS2_TCTI_CONTEXT* context, size_t size, const uint8_t* command) {
  RetryingTcti& self = Of(context);
  if (self.abandoned_) return TSS2_TCTI_RC_IO_ERROR;
  self.response_ = Bytes();
  self.command_.assign(command, command + size);
  self.pause_ms_ = kFirstPauseMs;
  return Tss2_Tcti_Transmit(self.inner_, size, command);
}

// The first call of the two that the layer above makes, without a buffer, asks for the size alone.
TSS2_RC RetryingTcti::Receive(TSS2_TCTI_CONTEXT* context, size_t* size, uint8_t* response, int32_t timeout) {
  RetryingTcti& self = Of(context);
  if (self.response_.empty()) {
    if (TSS2_RC rc = self.ReceiveWithRetries(timeout); rc != TSS2_RC_SUCCESS) return rc;
  }
  const size_t capacity = std::exchange(*size, self.response_.size());
  if (response == nullptr) return TSS2_RC_SUCCESS;
  if (capacity < self.response_.size()) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
  std::copy(self.response_.begin(), self.response_.end(), response);
  self.response_ = Bytes();
  return TSS2_RC_SUCCESS;
}

TSS2_RC RetryingTcti::ReceiveWithRetries(int32_t timeout) {
  for (;;) {
    if (TSS2_RC rc = AwaitAnswer(); rc != TSS2_RC_SUCCESS) return rc;
    Bytes response(TPM2_MAX_RESPONSE_SIZE);
    size_t size = response.size();
    if (TSS2_RC rc = Tss2_Tcti_Receive(inner_, &size, response.data(), timeout); rc != TSS2_RC_SUCCESS) return rc;
    if (size < kHeaderSize) return TSS2_TCTI_RC_MALFORMED_RESPONSE;
    response.resize(size);
    if (!AsksForRetry(ResponseCode(response.data())) || retries_left_ == 0) {
      response_ = std::move(response);
      command_ = Bytes();
      return TSS2_RC_SUCCESS;
    }
    retries_left_--;
    if (!Pause()) return TSS2_TCTI_RC_IO_ERROR;
    if (TSS2_RC rc = Tss2_Tcti_Transmit(inner_, command_.size(), command_.data()); rc != TSS2_RC_SUCCESS) return rc;
  }
}

// A TCTI without poll handles is waited for inside its own receive, which cannot be given up.
TSS2_RC RetryingTcti::AwaitAnswer() {
  if (abandoned_) return TSS2_TCTI_RC_IO_ERROR;
  size_t count = 0;
  if (Tss2_Tcti_GetPollHandles(inner_, nullptr, &count) != TSS2_RC_SUCCESS || count == 0) return TSS2_RC_SUCCESS;
  std::vector<pollfd> handles(count + 1);
  if (Tss2_Tcti_GetPollHandles(inner_, handles.data(), &count) != TSS2_RC_SUCCESS) return TSS2_RC_SUCCESS;
  for (size_t i = 0; i < count; i++) handles[i].events = POLLIN;
  handles[count] = pollfd{wake_, POLLIN, 0};
  const int ready = PollFor(handles.data(), count + 1, policy_.timeout_ms == 0 ? -1 : int64_t{policy_.timeout_ms});
  return ready > 0 && !abandoned_ ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_IO_ERROR;
}

// False when the wait was given up.
bool RetryingTcti::Pause() {
  pollfd wake{wake_, POLLIN, 0};
  PollFor(&wake, 1, pause_ms_);
  pause_ms_ = std::min(pause_ms_ * 2, kLongestPauseMs);
  return !abandoned_;
}

TSS2_RC RetryingTcti::Cancel(TSS2_TCTI_CONTEXT* context) { return Tss2_Tcti_Cancel(Of(context).inner_); }

TSS2_RC RetryingTcti::PollHandles(TSS2_TCTI_CONTEXT* context, TSS2_TCTI_POLL_HANDLE* handles, size_t* count) {
  return Tss2_Tcti_GetPollHandles(Of(context).inner_, handles, count);
}

TSS2_RC RetryingTcti::SetLocality(TSS2_TCTI_CONTEXT* context, uint8_t locality) {
  return Tss2_Tcti_SetLocality(Of(context).inner_, locality);
}

TSS2_RC RetryingTcti::MakeSticky(TSS2_TCTI_CONTEXT* context, TPM2_HANDLE* handle, uint8_t sticky) {
  return Tss2_Tcti_MakeSticky(Of(context).inner_, handle, sticky);
}

}  // namespace tpm2
