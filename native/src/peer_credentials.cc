#include "peer_credentials.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <sys/socket.h>

namespace tpm2 {

Napi::Value PeerCredentials(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() < 1 || !info[0].IsNumber()) throw Napi::TypeError::New(env, "fd must be a number");
  sockaddr_storage address{};
  socklen_t address_size = sizeof address;
  const int fd = info[0].As<Napi::Number>().Int32Value();
  ucred credentials{};
  socklen_t size = sizeof credentials;
  int failed = getsockname(fd, reinterpret_cast<sockaddr*>(&address), &address_size);
  // Another family answers SO_PEERCRED too, with pid 0 and uid -1: that must never pass for a peer.
  if (failed == 0 && address.ss_family != AF_UNIX) {
    errno = EAFNOSUPPORT;
    failed = -1;
  }
  if (failed == 0) failed = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
  if (failed != 0) {
    Napi::Error error = Napi::Error::New(env, std::string("SO_PEERCRED: ") + std::strerror(errno));
    error.Value().Set("errno", Napi::Number::New(env, errno));
    throw error;
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("pid", Napi::Number::New(env, credentials.pid));
  result.Set("uid", Napi::Number::New(env, credentials.uid));
  result.Set("gid", Napi::Number::New(env, credentials.gid));
  return result;
}

}  // namespace tpm2
