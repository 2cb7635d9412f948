// What a command failed with, from the worker thread to the JavaScript error.
#pragma once

#include <string>
#include <utility>

#include <napi.h>
#include <tss2/tss2_common.h>

namespace tpm2 {

// Response codes of this addon's own.
inline constexpr TSS2_RC kLayerAddon = 0xE0u << TSS2_RC_LAYER_SHIFT;
inline constexpr TSS2_RC kConnectionClosed = kLayerAddon | 1;
inline constexpr TSS2_RC kMalformedStructure = kLayerAddon | 2;
inline constexpr TSS2_RC kUnsteadyPcrs = kLayerAddon | 3;
inline constexpr TSS2_RC kNoReadAuthorization = kLayerAddon | 4;

// One failed call of the stack: the response code and the command or structure it belongs to.
struct Failure {
  TSS2_RC rc;
  std::string command;

  // A JavaScript Error that carries `rc`, `command` and the decoded `text`.
  Napi::Error ToError(Napi::Env env) const;
};

// Throws Failure unless rc is success.
inline void Check(const char* command, TSS2_RC rc) {
  if (rc != TSS2_RC_SUCCESS) throw Failure{rc, command};
}

}  // namespace tpm2
