#include <cstdlib>

#include <napi.h>

#include "connection.h"
#include "peer_credentials.h"

namespace {

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  // Errors reach the caller as errors: the stack writes nothing to standard error unless TSS2_LOG asks for it.
  setenv("TSS2_LOG", "all+NONE", 0);
  exports.Set("Connection", tpm2::Connection::Define(env));
  exports.Set("peerCredentials", Napi::Function::New<tpm2::PeerCredentials>(env, "peerCredentials"));
  return exports;
}

NODE_API_MODULE(tpm2, Initialize)

}  // namespace
