// TPM 2.0 Part 3 r01.59 §11 Session Commands, §23 Enhanced Authorization Commands.
#include "commands.h"

namespace tpm2 {

// A session that protects (HMAC) or one that a policy is collected in (POLICY, with the nameAlg of what it is for).
Job StartAuthSession(const Arguments& in) {
  return [is_policy = in.Boolean("policy"), hash = in.Number16("authHash", TPM2_ALG_SHA256),
          salt_key = in.Number("saltKey", ESYS_TR_NONE)](Context& tpm, Answer& out) {
    ESYS_TR handle = ESYS_TR_NONE;
    if (is_policy) {
      TPMT_SYM_DEF symmetric{};
      symmetric.algorithm = TPM2_ALG_NULL;
      Check("StartAuthSession", Esys_StartAuthSession(tpm.esys(), salt_key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                                      ESYS_TR_NONE, nullptr, TPM2_SE_POLICY, &symmetric, hash, &handle));
    } else {
      handle = StartHmacSession(tpm, salt_key);
    }
    Scoped session(tpm, handle);
    TPM2_HANDLE tpm_handle = 0;
    Check("Esys_TR_GetTpmHandle", Esys_TR_GetTpmHandle(tpm.esys(), handle, &tpm_handle));
    out.Number("tr", handle);
    out.Number("tpmHandle", tpm_handle);
    out.Octets("name", {});
    session.Release();
  };
}

Job PolicySecret(const Arguments& in) {
  const bool hierarchy = HierarchyHandle(in.Number("authority")) != ESYS_TR_NONE;
  return [authority = hierarchy ? in.Hierarchy("authority") : in.Authorized("authority"), session = in.Number("session"),
          protection = in.Protected()](Context& tpm, Answer&) {
    CommandSessions sessions(tpm, protection, kNeither);
    const ESYS_TR authorization = sessions.Authorize(authority);
    const TPM2B_NONCE none{};
    Out<TPM2B_TIMEOUT> timeout;
    Out<TPMT_TK_AUTH> ticket;
    Check("PolicySecret", Esys_PolicySecret(tpm.esys(), authority.handle, session, authorization, sessions.Rest(),
                                            ESYS_TR_NONE, &none, &none, &none, 0, &timeout, &ticket));
  };
}

Job PolicyPcr(const Arguments& in) {
  return [session = in.Number("session"), digest = in.Content<TPM2B_DIGEST>("pcrDigest"),
          selection = in.Structure("pcrSelection", Tss2_MU_TPML_PCR_SELECTION_Unmarshal)](Context& tpm, Answer&) {
    Check("PolicyPCR", Esys_PolicyPCR(tpm.esys(), session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &selection));
  };
}

Job PolicyOr(const Arguments& in) {
  TPML_DIGEST digests{};
  const auto branches = in.OctetsList("digests");
  if (branches.size() > sizeof digests.digests / sizeof digests.digests[0]) throw Failure{kMalformedStructure, "digests"};
  for (const Bytes& branch : branches) {
    digests.digests[digests.count++] = Arguments::Fill<TPM2B_DIGEST>("digests", branch);
  }
  return [session = in.Number("session"), digests](Context& tpm, Answer&) {
    Check("PolicyOR", Esys_PolicyOR(tpm.esys(), session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digests));
  };
}

Job PolicyGetDigest(const Arguments& in) {
  return [session = in.Number("session")](Context& tpm, Answer& out) {
    Out<TPM2B_DIGEST> digest;
    Check("PolicyGetDigest",
          Esys_PolicyGetDigest(tpm.esys(), session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digest));
    out.Content("policyDigest", *digest);
  };
}

}  // namespace tpm2
