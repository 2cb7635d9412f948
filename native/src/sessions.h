// The session slots of one command: who authorises with what, and the session that encrypts its first parameters.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include <tss2/tss2_esys.h>

#include "context.h"

namespace tpm2 {

// A handle that a command uses with authorization: by authValue, or by a policy session of the caller's.
struct Entity {
  ESYS_TR handle;
  TPM2B_AUTH auth;
  ESYS_TR policy_session;

  Entity(ESYS_TR entity, const TPM2B_AUTH& value, ESYS_TR session) : handle(entity), auth(value), policy_session(session) {}
  Entity(const Entity&) = default;
  Entity& operator=(const Entity&) = default;
  ~Entity() { explicit_bzero(&auth, sizeof auth); }
};

// A key to salt a session of this one command with, or a session that the caller began. ESYS_TR_NONE: none.
struct Protection {
  ESYS_TR handle;
  bool is_session;
};

// Which first parameter of a command may be encrypted: those that are a TPM2B.
enum Direction : TPMA_SESSION {
  kNeither = 0,
  kCommand = TPMA_SESSION_DECRYPT,
  kResponse = TPMA_SESSION_ENCRYPT,
  kBoth = TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT,
};

// TPM2_StartAuthSession for HMAC with AES-128-CFB parameter encryption, salted with a key unless that is ESYS_TR_NONE.
ESYS_TR StartHmacSession(Context& tpm, ESYS_TR salt_key);

// Sets an entity's authValue for the scope, and forgets it afterwards.
class CommandSessions {
 public:
  CommandSessions(Context& tpm, Protection protection, Direction direction);
  ~CommandSessions();
  CommandSessions(const CommandSessions&) = delete;
  CommandSessions& operator=(const CommandSessions&) = delete;

  // The session for the next authorised handle. An authValue that is not empty goes as an HMAC, never in clear, when
  // the command is protected.
  ESYS_TR Authorize(const Entity& entity);
  // The protecting session, if no authorization took it and there is a parameter to encrypt.
  ESYS_TR Rest();

 private:
  ESYS_TR StartTemporary(ESYS_TR salt_key);

  Context& tpm_;
  const Direction direction_;
  ESYS_TR salt_key_ = ESYS_TR_NONE;
  ESYS_TR protector_ = ESYS_TR_NONE;
  bool protector_taken_ = false;
  bool protected_ = false;
  std::vector<std::unique_ptr<Scoped>> temporary_;
  std::vector<ESYS_TR> authorized_;
};

}  // namespace tpm2
