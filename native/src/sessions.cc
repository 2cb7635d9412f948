#include "sessions.h"

namespace tpm2 {

ESYS_TR StartHmacSession(Context& tpm, ESYS_TR salt_key) {
  TPMT_SYM_DEF symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  ESYS_TR session = ESYS_TR_NONE;
  Check("StartAuthSession",
        Esys_StartAuthSession(tpm.esys(), salt_key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr,
                              TPM2_SE_HMAC, &symmetric, TPM2_ALG_SHA256, &session));
  return session;
}

CommandSessions::CommandSessions(Context& tpm, Protection protection, Direction direction)
    : tpm_(tpm), direction_(direction) {
  if (protection.handle == ESYS_TR_NONE) return;
  protected_ = true;
  salt_key_ = protection.is_session ? ESYS_TR_NONE : protection.handle;
  protector_ = protection.is_session ? protection.handle : StartTemporary(salt_key_);
  Check("Esys_TRSess_SetAttributes",
        Esys_TRSess_SetAttributes(tpm.esys(), protector_, TPMA_SESSION_CONTINUESESSION | direction, 0xff));
}

CommandSessions::~CommandSessions() {
  const TPM2B_AUTH empty{};
  for (ESYS_TR handle : authorized_) Esys_TR_SetAuth(tpm_.esys(), handle, &empty);
}

ESYS_TR CommandSessions::Authorize(const Entity& entity) {
  if (entity.policy_session != ESYS_TR_NONE) return entity.policy_session;
  Check("Esys_TR_SetAuth", Esys_TR_SetAuth(tpm_.esys(), entity.handle, &entity.auth));
  authorized_.push_back(entity.handle);
  if (!protected_ || entity.auth.size == 0) return ESYS_TR_PASSWORD;
  if (!protector_taken_) {
    protector_taken_ = true;
    return protector_;
  }
  const ESYS_TR second = StartTemporary(salt_key_);
  Check("Esys_TRSess_SetAttributes",
        Esys_TRSess_SetAttributes(tpm_.esys(), second, TPMA_SESSION_CONTINUESESSION, 0xff));
  return second;
}

// A session that neither authorises nor encrypts is an error (TPM_RC_ATTRIBUTES).
ESYS_TR CommandSessions::Rest() {
  return protected_ && !protector_taken_ && direction_ != kNeither ? protector_ : ESYS_TR_NONE;
}

ESYS_TR CommandSessions::StartTemporary(ESYS_TR salt_key) {
  temporary_.push_back(std::make_unique<Scoped>(tpm_, StartHmacSession(tpm_, salt_key)));
  return temporary_.back()->get();
}

}  // namespace tpm2
