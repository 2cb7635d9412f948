// TPM 2.0 Part 3 r01.59 §15.4 Hash, §17 Hash/HMAC/Event Sequences, §20.2 Sign.
#include <algorithm>

#include "commands.h"

namespace tpm2 {

// Without `validation` the NULL ticket is sent, which a restricted key refuses (TPM_RC_TICKET).
Job Sign(const Arguments& in) {
  TPMT_TK_HASHCHECK none{};
  none.tag = TPM2_ST_HASHCHECK;
  none.hierarchy = TPM2_RH_NULL;
  return [key = in.Authorized("key"), digest = in.Content<TPM2B_DIGEST>("digest"), scheme = in.Scheme(),
          validation = in.Structure("validation", Tss2_MU_TPMT_TK_HASHCHECK_Unmarshal, none),
          protection = in.Protected()](Context& tpm, Answer& out) {
    CommandSessions sessions(tpm, protection, kCommand);
    const ESYS_TR authorization = sessions.Authorize(key);
    Out<TPMT_SIGNATURE> signature;
    Check("Sign", Esys_Sign(tpm.esys(), key.handle, authorization, sessions.Rest(), ESYS_TR_NONE, &digest, &scheme,
                            &validation, &signature));
    out.Structure("signature", *signature, Tss2_MU_TPMT_SIGNATURE_Marshal);
  };
}

// A sequence, so that data may be of any length; the ticket says that the data did not begin with TPM_GENERATED_VALUE.
Job Hash(const Arguments& in) {
  return [data = in.Octets("data"), algorithm = in.Number16("hashAlg"), hierarchy = in.Hierarchy("hierarchy")](
             Context& tpm, Answer& out) {
    const TPM2B_AUTH no_auth{};
    ESYS_TR handle = ESYS_TR_NONE;
    Check("HashSequenceStart", Esys_HashSequenceStart(tpm.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &no_auth,
                                                      algorithm, &handle));
    Scoped sequence(tpm, handle);
    constexpr size_t kChunk = TPM2_MAX_DIGEST_BUFFER;
    size_t offset = 0;
    for (; data.size() - offset > kChunk; offset += kChunk) {
      const auto chunk = Arguments::Fill<TPM2B_MAX_BUFFER>("data", Bytes(&data[offset], &data[offset] + kChunk));
      Check("SequenceUpdate",
            Esys_SequenceUpdate(tpm.esys(), handle, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &chunk));
    }
    const auto rest = Arguments::Fill<TPM2B_MAX_BUFFER>("data", Bytes(data.begin() + offset, data.end()));
    Out<TPM2B_DIGEST> digest;
    Out<TPMT_TK_HASHCHECK> validation;
    Check("SequenceComplete", Esys_SequenceComplete(tpm.esys(), handle, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                                    &rest, hierarchy.handle, &digest, &validation));
    tpm.Forget(sequence.Release());  // a completed sequence is gone from the TPM
    out.Content("digest", *digest);
    out.Structure("validation", *validation, Tss2_MU_TPMT_TK_HASHCHECK_Marshal);
  };
}

}  // namespace tpm2
