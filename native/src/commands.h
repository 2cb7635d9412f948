// Every command: reads its arguments, gives the job. One file of commands_*.cc for each part of the specification.
#pragma once

#include "arguments.h"
#include "worker.h"

namespace tpm2 {

Job Open(const Arguments&);

Job GetCapability(const Arguments&);
Job GetRandom(const Arguments&);
Job ReadClock(const Arguments&);

Job OpenHandle(const Arguments&);
Job Flush(const Arguments&);
Job ReadPublic(const Arguments&);
Job CreatePrimary(const Arguments&);
Job Create(const Arguments&);
Job Load(const Arguments&);
Job LoadExternal(const Arguments&);
Job EvictControl(const Arguments&);

Job StartAuthSession(const Arguments&);
Job PolicySecret(const Arguments&);
Job PolicyPcr(const Arguments&);
Job PolicyOr(const Arguments&);
Job PolicyGetDigest(const Arguments&);

Job ActivateCredential(const Arguments&);
Job Certify(const Arguments&);
Job CertifyCreation(const Arguments&);
Job Quote(const Arguments&);
Job GetTime(const Arguments&);

Job PcrRead(const Arguments&);
Job PcrExtend(const Arguments&);

Job Sign(const Arguments&);
Job Hash(const Arguments&);

Job NvReadPublic(const Arguments&);
Job NvRead(const Arguments&);
Job NvWrite(const Arguments&);
Job NvIncrement(const Arguments&);
Job NvDefineSpace(const Arguments&);
Job NvUndefineSpace(const Arguments&);
Job NvCertify(const Arguments&);

}  // namespace tpm2
