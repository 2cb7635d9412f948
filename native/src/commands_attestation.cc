// TPM 2.0 Part 3 r01.59 §12.5 ActivateCredential, §18 Attestation Commands.
#include "commands.h"

namespace tpm2 {

namespace {

struct Attestation {
  Out<TPM2B_ATTEST> attest;
  Out<TPMT_SIGNATURE> signature;

  void Tell(Answer& out) const {
    out.Content("attest", *attest);
    out.Structure("signature", *signature, Tss2_MU_TPMT_SIGNATURE_Marshal);
  }
};

}  // namespace

Job ActivateCredential(const Arguments& in) {
  return [activate = in.Authorized("activate"), key = in.Authorized("key"),
          blob = in.Content<TPM2B_ID_OBJECT>("credentialBlob"),
          secret = in.Content<TPM2B_ENCRYPTED_SECRET>("encryptedSecret"),
          protection = in.Protected()](Context& tpm, Answer& out) {
    CommandSessions sessions(tpm, protection, kBoth);
    const ESYS_TR first = sessions.Authorize(activate);
    const ESYS_TR second = sessions.Authorize(key);
    Out<TPM2B_DIGEST> info;
    Check("ActivateCredential", Esys_ActivateCredential(tpm.esys(), activate.handle, key.handle, first, second,
                                                        sessions.Rest(), &blob, &secret, &info));
    out.Content("certInfo", *info);
    explicit_bzero(&*info, sizeof(TPM2B_DIGEST));
  };
}

Job Certify(const Arguments& in) {
  return [object = in.Authorized("object"), signer = in.Authorized("signer"),
          data = in.Content<TPM2B_DATA>("qualifyingData"), scheme = in.Scheme(),
          protection = in.Protected()](Context& tpm, Answer& out) {
    CommandSessions sessions(tpm, protection, kBoth);
    const ESYS_TR first = sessions.Authorize(object);
    const ESYS_TR second = sessions.Authorize(signer);
    Attestation result;
    Check("Certify", Esys_Certify(tpm.esys(), object.handle, signer.handle, first, second, sessions.Rest(), &data,
                                  &scheme, &result.attest, &result.signature));
    result.Tell(out);
  };
}

Job CertifyCreation(const Arguments& in) {
  return [signer = in.Authorized("signer"), object = in.Number("object"), data = in.Content<TPM2B_DATA>("qualifyingData"),
          hash = in.Content<TPM2B_DIGEST>("creationHash"),
          ticket = in.Structure("creationTicket", Tss2_MU_TPMT_TK_CREATION_Unmarshal), scheme = in.Scheme(),
          protection = in.Protected()](Context& tpm, Answer& out) {
    CommandSessions sessions(tpm, protection, kBoth);
    const ESYS_TR authorization = sessions.Authorize(signer);
    Attestation result;
    Check("CertifyCreation",
          Esys_CertifyCreation(tpm.esys(), signer.handle, object, authorization, sessions.Rest(), ESYS_TR_NONE, &data,
                               &hash, &scheme, &ticket, &result.attest, &result.signature));
    result.Tell(out);
  };
}

Job Quote(const Arguments& in) {
  return [signer = in.Authorized("signer"), data = in.Content<TPM2B_DATA>("qualifyingData"), scheme = in.Scheme(),
          selection = in.Structure("pcrSelection", Tss2_MU_TPML_PCR_SELECTION_Unmarshal),
          protection = in.Protected()](Context& tpm, Answer& out) {
    CommandSessions sessions(tpm, protection, kBoth);
    const ESYS_TR authorization = sessions.Authorize(signer);
    Attestation result;
    Check("Quote", Esys_Quote(tpm.esys(), signer.handle, authorization, sessions.Rest(), ESYS_TR_NONE, &data, &scheme,
                              &selection, &result.attest, &result.signature));
    result.Tell(out);
  };
}

Job GetTime(const Arguments& in) {
  return [signer = in.Authorized("signer"), data = in.Content<TPM2B_DATA>("qualifyingData"), scheme = in.Scheme(),
          administrator = Entity(ESYS_TR_RH_ENDORSEMENT, in.Content<TPM2B_AUTH>("endorsementAuth"), ESYS_TR_NONE),
          protection = in.Protected()](Context& tpm, Answer& out) {
    CommandSessions sessions(tpm, protection, kBoth);
    const ESYS_TR first = sessions.Authorize(administrator);
    const ESYS_TR second = sessions.Authorize(signer);
    Attestation result;
    Check("GetTime", Esys_GetTime(tpm.esys(), administrator.handle, signer.handle, first, second, sessions.Rest(), &data,
                                  &scheme, &result.attest, &result.signature));
    result.Tell(out);
  };
}

}  // namespace tpm2
