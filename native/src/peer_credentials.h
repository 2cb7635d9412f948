#pragma once

#include <napi.h>

namespace tpm2 {

// peerCredentials(fd): {pid, uid, gid} of the process that connected a Unix socket (SO_PEERCRED, unix(7)).
Napi::Value PeerCredentials(const Napi::CallbackInfo& info);

}  // namespace tpm2
