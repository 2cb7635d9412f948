#include <cstdlib>

#include <napi.h>

#include "children.h"
#include "connection.h"
#include "peer_credentials.h"
#include "worker.h"

namespace {

// Node's 'exit' event: what is open is flushed and closed now, or never.
void EndConnections(const Napi::CallbackInfo& info) { tpm2::Worker::EndAll(info.Env()); }

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  // Errors reach the caller as errors: the stack writes nothing to standard error unless TSS2_LOG asks for it.
  setenv("TSS2_LOG", "all+NONE", 0);
  tpm2::KeepDescriptorsFromChildren();
  exports.Set("Connection", tpm2::Connection::Define(env));
  exports.Set("peerCredentials", Napi::Function::New<tpm2::PeerCredentials>(env, "peerCredentials"));
  exports.Set("endConnections", Napi::Function::New<EndConnections>(env, "endConnections"));
  return exports;
}

NODE_API_MODULE(tpm2, Initialize)

}  // namespace
