#include "failure.h"

#include <tss2/tss2_rc.h>

namespace tpm2 {

namespace {

std::string TextOf(TSS2_RC rc) {
  switch (rc) {
    case kConnectionClosed:
      return "addon:the connection is closed";
    case kMalformedStructure:
      return "addon:the structure is malformed or has trailing bytes";
    case kUnsteadyPcrs:
      return "addon:the PCRs changed during every attempt to read them";
    case kNoReadAuthorization:
      return "addon:the NV index can be read by policy alone";
    default:
      return Tss2_RC_Decode(rc);
  }
}

}  // namespace

Napi::Error Failure::ToError(Napi::Env env) const {
  const std::string text = TextOf(rc);
  Napi::Error error = Napi::Error::New(env, command + ": " + text);
  error.Value().Set("rc", Napi::Number::New(env, rc));
  error.Value().Set("command", Napi::String::New(env, command));
  error.Value().Set("text", Napi::String::New(env, text));
  return error;
}

}  // namespace tpm2
