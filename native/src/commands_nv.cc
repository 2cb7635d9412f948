// TPM 2.0 Part 3 r01.59 §31 Non-volatile Storage.
#include <algorithm>

#include "commands.h"

namespace tpm2 {

namespace {

TPMS_NV_PUBLIC PublicOf(Context& tpm, ESYS_TR index, TPM2B_NAME* name_out = nullptr) {
  Out<TPM2B_NV_PUBLIC> nv_public;
  Out<TPM2B_NAME> name;
  Check("NV_ReadPublic",
        Esys_NV_ReadPublic(tpm.esys(), index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &nv_public, &name));
  if (name_out != nullptr) *name_out = *name;
  return nv_public->nvPublic;
}

// An index used with the authorization of itself, or of the hierarchy that the caller named.
struct IndexUse {
  TPM2_HANDLE index;
  Entity hierarchy;  // with the authValue of whoever it is that authorises

  explicit IndexUse(const Arguments& in)
      : index(in.Number("index")),
        hierarchy(in.Has("authorization") ? in.Hierarchy("authorization").handle : ESYS_TR_NONE,
                  in.Content<TPM2B_AUTH>("auth"), ESYS_TR_NONE) {}

  Entity By(ESYS_TR nv) const { return hierarchy.handle == ESYS_TR_NONE ? As(nv) : hierarchy; }

  // Where the caller named none: the index's own authorization if it allows reading, else the owner's.
  Entity ToRead(ESYS_TR nv, TPMA_NV attributes) const {
    if (hierarchy.handle != ESYS_TR_NONE || (attributes & TPMA_NV_AUTHREAD) != 0) return By(nv);
    if ((attributes & TPMA_NV_OWNERREAD) != 0) return As(ESYS_TR_RH_OWNER);
    throw Failure{kNoReadAuthorization, "NV_Read"};
  }

 private:
  Entity As(ESYS_TR handle) const { return Entity(handle, hierarchy.auth, ESYS_TR_NONE); }
};

}  // namespace

Job NvReadPublic(const Arguments& in) {
  return [index = in.Number("index")](Context& tpm, Answer& out) {
    Reference nv(tpm, index);
    TPM2B_NAME name{};
    out.Structure("public", PublicOf(tpm, nv.get(), &name), Tss2_MU_TPMS_NV_PUBLIC_Marshal);
    out.Content("name", name);
  };
}

// The whole index, in chunks of TPM_PT_NV_BUFFER_MAX.
Job NvRead(const Arguments& in) {
  return [use = IndexUse(in), protection = in.Protected()](Context& tpm, Answer& out) {
    Reference nv(tpm, use.index);
    const TPMS_NV_PUBLIC nv_public = PublicOf(tpm, nv.get());
    const Entity reader = use.ToRead(nv.get(), nv_public.attributes);
    const size_t chunk = tpm.NvBufferMax();
    CommandSessions sessions(tpm, protection, kResponse);
    const ESYS_TR authorization = sessions.Authorize(reader);
    const ESYS_TR rest = sessions.Rest();
    Bytes bytes;
    do {
      const auto size = static_cast<UINT16>(std::min<size_t>(nv_public.dataSize - bytes.size(), chunk));
      Out<TPM2B_MAX_NV_BUFFER> data;
      Check("NV_Read", Esys_NV_Read(tpm.esys(), reader.handle, nv.get(), authorization, rest, ESYS_TR_NONE, size,
                                    static_cast<UINT16>(bytes.size()), &data));
      if (data->size != size) throw Failure{TSS2_ESYS_RC_MALFORMED_RESPONSE, "NV_Read"};
      bytes.insert(bytes.end(), data->buffer, data->buffer + data->size);
    } while (bytes.size() < nv_public.dataSize);
    out.Octets("data", std::move(bytes));
  };
}

Job NvWrite(const Arguments& in) {
  return [use = IndexUse(in), data = in.Octets("data"), start = in.Number16("offset", 0),
          protection = in.Protected()](Context& tpm, Answer&) {
    if (start + data.size() > UINT16_MAX) throw Failure{kMalformedStructure, "data"};
    Reference nv(tpm, use.index);
    const Entity writer = use.By(nv.get());
    const size_t chunk = tpm.NvBufferMax();
    CommandSessions sessions(tpm, protection, kCommand);
    const ESYS_TR authorization = sessions.Authorize(writer);
    const ESYS_TR rest = sessions.Rest();
    size_t written = 0;
    do {
      const size_t size = std::min(data.size() - written, chunk);
      const auto part = Arguments::Fill<TPM2B_MAX_NV_BUFFER>(
          "data", Bytes(data.begin() + written, data.begin() + written + size));
      Check("NV_Write", Esys_NV_Write(tpm.esys(), writer.handle, nv.get(), authorization, rest, ESYS_TR_NONE, &part,
                                      static_cast<UINT16>(start + written)));
      written += size;
    } while (written < data.size());
  };
}

Job NvIncrement(const Arguments& in) {
  return [use = IndexUse(in), protection = in.Protected()](Context& tpm, Answer&) {
    Reference nv(tpm, use.index);
    const Entity writer = use.By(nv.get());
    CommandSessions sessions(tpm, protection, kNeither);
    const ESYS_TR authorization = sessions.Authorize(writer);
    Check("NV_Increment",
          Esys_NV_Increment(tpm.esys(), writer.handle, nv.get(), authorization, sessions.Rest(), ESYS_TR_NONE));
  };
}

Job NvDefineSpace(const Arguments& in) {
  return [hierarchy = in.Hierarchy("hierarchy"), auth = Entity(ESYS_TR_NONE, in.Content<TPM2B_AUTH>("auth"), ESYS_TR_NONE),
          nv_public = TPM2B_NV_PUBLIC{0, in.Structure("public", Tss2_MU_TPMS_NV_PUBLIC_Unmarshal)},
          protection = in.Protected()](Context& tpm, Answer&) {
    CommandSessions sessions(tpm, protection, kCommand);
    const ESYS_TR authorization = sessions.Authorize(hierarchy);
    ESYS_TR nv = ESYS_TR_NONE;
    Check("NV_DefineSpace", Esys_NV_DefineSpace(tpm.esys(), hierarchy.handle, authorization, sessions.Rest(),
                                                ESYS_TR_NONE, &auth.auth, &nv_public, &nv));
    Check("Esys_TR_Close", Esys_TR_Close(tpm.esys(), &nv));
  };
}

Job NvUndefineSpace(const Arguments& in) {
  return [hierarchy = in.Hierarchy("hierarchy"), index = in.Number("index"), protection = in.Protected()](Context& tpm,
                                                                                                         Answer&) {
    Reference nv(tpm, index);
    CommandSessions sessions(tpm, protection, kNeither);
    const ESYS_TR authorization = sessions.Authorize(hierarchy);
    Check("NV_UndefineSpace", Esys_NV_UndefineSpace(tpm.esys(), hierarchy.handle, nv.get(), authorization,
                                                    sessions.Rest(), ESYS_TR_NONE));
    tpm.DropAllReferences(nv.Release());
  };
}

Job NvCertify(const Arguments& in) {
  return [signer = in.Authorized("signer"), use = IndexUse(in), data = in.Content<TPM2B_DATA>("qualifyingData"),
          scheme = in.Scheme(), size = in.Number16("size"), offset = in.Number16("offset", 0),
          protection = in.Protected()](Context& tpm, Answer& out) {
    Reference nv(tpm, use.index);
    const Entity reader = use.ToRead(nv.get(), PublicOf(tpm, nv.get()).attributes);
    CommandSessions sessions(tpm, protection, kBoth);
    const ESYS_TR first = sessions.Authorize(signer);
    const ESYS_TR second = sessions.Authorize(reader);
    Out<TPM2B_ATTEST> attest;
    Out<TPMT_SIGNATURE> signature;
    Check("NV_Certify", Esys_NV_Certify(tpm.esys(), signer.handle, reader.handle, nv.get(), first, second,
                                        sessions.Rest(), &data, &scheme, size, offset, &attest, &signature));
    out.Content("attest", *attest);
    out.Structure("signature", *signature, Tss2_MU_TPMT_SIGNATURE_Marshal);
  };
}

}  // namespace tpm2
