// TPM 2.0 Part 3 r01.59 §12 Object Commands, §24.1 CreatePrimary, §28.4 FlushContext, §28.5 EvictControl.
#include "commands.h"

namespace tpm2 {

namespace {

struct Creation {
  TPM2B_SENSITIVE_CREATE sensitive;
  TPM2B_PUBLIC in_public;
  TPM2B_DATA outside_info;
  TPML_PCR_SELECTION creation_pcr;

  explicit Creation(const Arguments& in)
      : sensitive{0, {in.Content<TPM2B_AUTH>("userAuth"), in.Content<TPM2B_SENSITIVE_DATA>("data")}},
        in_public(in.Public("public")),
        outside_info(in.Content<TPM2B_DATA>("outsideInfo")),
        creation_pcr(in.Structure("creationPcr", Tss2_MU_TPML_PCR_SELECTION_Unmarshal, TPML_PCR_SELECTION{})) {}
  Creation(const Creation&) = default;
  Creation& operator=(const Creation&) = default;
  ~Creation() { explicit_bzero(&sensitive, sizeof sensitive); }
};

struct Created {
  Out<TPM2B_PUBLIC> out_public;
  Out<TPM2B_CREATION_DATA> data;
  Out<TPM2B_DIGEST> hash;
  Out<TPMT_TK_CREATION> ticket;

  void Tell(Answer& out) const {
    out.Structure("public", out_public->publicArea, Tss2_MU_TPMT_PUBLIC_Marshal);
    out.Structure("creationData", data->creationData, Tss2_MU_TPMS_CREATION_DATA_Marshal);
    out.Content("creationHash", *hash);
    out.Structure("creationTicket", *ticket, Tss2_MU_TPMT_TK_CREATION_Marshal);
  }
};

}  // namespace

Job OpenHandle(const Arguments& in) {
  return [handle = in.Number("tpmHandle")](Context& tpm, Answer& out) {
    Reference reference(tpm, handle);
    out.Handle(tpm, reference.get());
    reference.Release();
  };
}

// A transient object, session or sequence leaves the TPM. For what is persistent, ESAPI's record alone is closed.
// Flushing a handle that is gone is no error: the collector and the caller may both ask.
Job Flush(const Arguments& in) {
  return [handle = in.Number("handle")](Context& tpm, Answer&) {
    if (tpm.Holds(handle)) return tpm.Flush(handle);
    TPM2_HANDLE tpm_handle = 0;
    if (Esys_TR_GetTpmHandle(tpm.esys(), handle, &tpm_handle) != TSS2_RC_SUCCESS) return;
    const TPM2_HT type = tpm_handle >> TPM2_HR_SHIFT;
    if (type == TPM2_HT_TRANSIENT || type == TPM2_HT_HMAC_SESSION || type == TPM2_HT_POLICY_SESSION) {
      return tpm.Flush(handle);
    }
    tpm.DropReference(handle);
  };
}

Job ReadPublic(const Arguments& in) {
  return [handle = in.Number("handle")](Context& tpm, Answer& out) {
    Out<TPM2B_PUBLIC> out_public;
    Out<TPM2B_NAME> name;
    Out<TPM2B_NAME> qualified_name;
    Check("ReadPublic", Esys_ReadPublic(tpm.esys(), handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &out_public, &name,
                                        &qualified_name));
    out.Structure("public", out_public->publicArea, Tss2_MU_TPMT_PUBLIC_Marshal);
    out.Content("name", *name);
    out.Content("qualifiedName", *qualified_name);
  };
}

Job CreatePrimary(const Arguments& in) {
  return [hierarchy = in.Hierarchy("hierarchy"), creation = Creation(in), protection = in.Protected()](Context& tpm,
                                                                                                      Answer& out) {
    CommandSessions sessions(tpm, protection, kBoth);
    const ESYS_TR authorization = sessions.Authorize(hierarchy);
    Created created;
    ESYS_TR handle = ESYS_TR_NONE;
    Check("CreatePrimary",
          Esys_CreatePrimary(tpm.esys(), hierarchy.handle, authorization, sessions.Rest(), ESYS_TR_NONE,
                             &creation.sensitive, &creation.in_public, &creation.outside_info, &creation.creation_pcr,
                             &handle, &created.out_public, &created.data, &created.hash, &created.ticket));
    Scoped object(tpm, handle);
    created.Tell(out);
    out.Handle(tpm, handle);
    object.Release();
  };
}

Job Create(const Arguments& in) {
  return [parent = in.Authorized("parent"), creation = Creation(in), protection = in.Protected()](Context& tpm,
                                                                                                 Answer& out) {
    CommandSessions sessions(tpm, protection, kBoth);
    const ESYS_TR authorization = sessions.Authorize(parent);
    Created created;
    Out<TPM2B_PRIVATE> out_private;
    Check("Create", Esys_Create(tpm.esys(), parent.handle, authorization, sessions.Rest(), ESYS_TR_NONE,
                                &creation.sensitive, &creation.in_public, &creation.outside_info, &creation.creation_pcr,
                                &out_private, &created.out_public, &created.data, &created.hash, &created.ticket));
    out.Content("private", *out_private);
    created.Tell(out);
  };
}

Job Load(const Arguments& in) {
  return [parent = in.Authorized("parent"), in_private = in.Content<TPM2B_PRIVATE>("private"),
          in_public = in.Public("public"), protection = in.Protected()](Context& tpm, Answer& out) {
    CommandSessions sessions(tpm, protection, kCommand);
    const ESYS_TR authorization = sessions.Authorize(parent);
    ESYS_TR handle = ESYS_TR_NONE;
    Check("Load", Esys_Load(tpm.esys(), parent.handle, authorization, sessions.Rest(), ESYS_TR_NONE, &in_private,
                            &in_public, &handle));
    Scoped object(tpm, handle);
    out.Handle(tpm, handle);
    object.Release();
  };
}

// The public part alone.
Job LoadExternal(const Arguments& in) {
  return [hierarchy = in.Hierarchy("hierarchy"), in_public = in.Public("public")](Context& tpm, Answer& out) {
    ESYS_TR handle = ESYS_TR_NONE;
    Check("LoadExternal", Esys_LoadExternal(tpm.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr, &in_public,
                                            hierarchy.handle, &handle));
    Scoped object(tpm, handle);
    out.Handle(tpm, handle);
    object.Release();
  };
}

// A transient object becomes persistent and gets a handle; a persistent one is removed.
Job EvictControl(const Arguments& in) {
  return [hierarchy = in.Hierarchy("hierarchy"), object = in.Number("object"),
          persistent = in.Number("persistentHandle"), protection = in.Protected()](Context& tpm, Answer& out) {
    CommandSessions sessions(tpm, protection, kNeither);
    const ESYS_TR authorization = sessions.Authorize(hierarchy);
    ESYS_TR handle = ESYS_TR_NONE;
    Check("EvictControl", Esys_EvictControl(tpm.esys(), hierarchy.handle, object, authorization, sessions.Rest(),
                                            ESYS_TR_NONE, persistent, &handle));
    if (handle == ESYS_TR_NONE) return tpm.DropAllReferences(object);
    tpm.AddReference(handle);
    out.Handle(tpm, handle);
  };
}

}  // namespace tpm2
