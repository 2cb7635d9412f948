// TPM 2.0 Part 3 r01.59 §16 Random Number Generator, §29 Clocks and Timers, §30 Capability Commands.
#include <algorithm>

#include "commands.h"

namespace tpm2 {

// Nothing but the outcome of opening the connection.
Job Open(const Arguments&) {
  return [](Context&, Answer&) {};
}

Job GetCapability(const Arguments& in) {
  return [capability = in.Number("capability"), property = in.Number("property"),
          count = in.Number("count")](Context& tpm, Answer& out) {
    TPMI_YES_NO more = TPM2_NO;
    Out<TPMS_CAPABILITY_DATA> data;
    Check("GetCapability", Esys_GetCapability(tpm.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, capability, property,
                                              count, &more, &data));
    out.Boolean("moreData", more == TPM2_YES);
    out.Structure("capabilityData", *data, Tss2_MU_TPMS_CAPABILITY_DATA_Marshal);
  };
}

// A TPM gives no more than its largest digest at once, so this asks until it has all.
Job GetRandom(const Arguments& in) {
  return [wanted = in.Number16("size"), protection = in.Protected()](Context& tpm, Answer& out) {
    CommandSessions sessions(tpm, protection, kResponse);
    const ESYS_TR session = sessions.Rest();
    Bytes bytes;
    bytes.reserve(wanted);
    while (bytes.size() < wanted) {
      const auto ask = static_cast<UINT16>(std::min<size_t>(wanted - bytes.size(), sizeof(TPMU_HA)));
      Out<TPM2B_DIGEST> random;
      Check("GetRandom", Esys_GetRandom(tpm.esys(), session, ESYS_TR_NONE, ESYS_TR_NONE, ask, &random));
      if (random->size == 0 || random->size > ask) throw Failure{TSS2_ESYS_RC_MALFORMED_RESPONSE, "GetRandom"};
      bytes.insert(bytes.end(), random->buffer, random->buffer + random->size);
    }
    out.Octets("random", std::move(bytes));
  };
}

Job ReadClock(const Arguments&) {
  return [](Context& tpm, Answer& out) {
    Out<TPMS_TIME_INFO> time;
    Check("ReadClock", Esys_ReadClock(tpm.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &time));
    out.Structure("timeInfo", *time, Tss2_MU_TPMS_TIME_INFO_Marshal);
  };
}

}  // namespace tpm2
