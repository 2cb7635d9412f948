import test from 'ava'
import { hashAlgorithm, TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import { kdfa, kdfe } from '../../../src/core/tpm/key-derivation.ts'

// The answers are from another implementation of SP 800-108 and SP 800-56A: KBKDFHMAC (counter mode, 32-bit counter and
// length) and ConcatKDFHash of pyca/cryptography 48.0.0.
const answers = [
  {
    hash: TPM_ALG.SHA256,
    storage: '31255a13ca17b685d8aba4cbfecb73a9',
    integrity: 'd31fe0aa206c0af241f3d41b032c42355526931bce8cf86d73d88491aae496c1',
    long: '60d29b9ae82715b325368478a2d5949f0f7521bf500b53b17cef4dc41527a951712156d9a290faf812f377d0fbac30f4a9116639092a4e8591950a8305d8ac5a2fc0b1a8df506cb4b0268227d4451bf362f61dc6edfd689e94d67a96ae2258764805865cac225e471f6880a73944d2a6f9e2932b0568eeb62878bb2566488aaf',
    identity:
      '2f1b3343ddc1dcf9e6f41c6db0e99efca460c911badbadddabb751adb5981925f3591fe1da51336c50e600d7148e0d814adde4372a270c9eff77307f4ec5cc9af00ca4e429b8020d1d6902a545639bb6331c667e3fafe40a78d2fbfc18a006f88d2593dd5f83fb4f3439008c0e78716cb1c538644c5ac2f2cacbee28e9c2ff4f',
  },
  {
    hash: TPM_ALG.SHA384,
    storage: '37476901e20557fd9b4316fd55323fcd',
    integrity:
      'ba2183d0a86fe9c6f405e501facfd4693b6d60d3a4b48c13014791842d1bbd408a7d323861fdcb6dd738a320100e8c3e',
    long: 'df0d8d3646f710609afe2b1334fe3c930498c45e2d4b95c6208daf4669cb357ead62a85727a13d44396fd546ab0903b130e559ffdb1654923b6e2dc9750c35dfc8334271103b28f28464160d78e1dca44f516bf8c486836aae0ce5f5ebf2f14a7e3e3478e94830097608740837774e19c419e019cd4bc3c7f30d592d748b1525',
    identity:
      '809fc5f5f7967487414e60b24b4e4190e7712a93d43ad3b8e17a6b96153b637d5e739ef0e629e4a3c82c300961afb3a7ecf3b28c48b596d327415914658d571492aab888345725f67673482bbb022cddfc6ffd8428e472d642924767fec0511a41f8700705fb2e377962eceec0c9e7e108d78026c43672d9814040214e94cfd8',
  },
  {
    hash: TPM_ALG.SHA512,
    storage: '39fb8a2ae6662d11f6ed699f471cc729',
    integrity:
      'e87bf2bc7883074e9006e4293d44612415f0c4e5c0675bea28eb677e9fb992c8fae6693d130497041ca2404629ff3c0d7cf4753731d30ed87bc273fa2a19d45e',
    long: '53284fcc460ada8f25d479316490f27103b269310abe82172de0ee6f359c4b7e52d855b17ef8d3819e6a8df9684f302f4e290bb26d4435fa29bc521afc7ef3157bcb84c763c0453e4c4f832e348869f1a9ae55aa4f02bd1dafa6552865dfe4c1c615196fbf37f44ea48548fbb59560fcce273e631d876b18d2b1190ac1cab6cc',
    identity:
      '00d70270298b915785bcc16370d2995f8d0dc268f65b2ee780bd6cfa16001309d8df1293f27800061fe4ba522cea9e8e701c25a5467f68fbb7ba0691af166f252464dde8146065657ae4ca42904b659ff040ae764e0fcac03390e2fd854127cd91a88ca27e47068253e185eefd8a8a594d5b32a51e852e803744fe49942ee91d',
  },
]

const none = new Uint8Array()
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)

for (const answer of answers) {
  const hash = hashAlgorithm(answer.hash)

  test(`KDFa gives the known keys with ${hash.name}`, t => {
    const key = filled(hash.size, 0x0b)
    const name = Uint8Array.from({ length: 34 }, (_, n) => n)
    t.is(hex(kdfa(hash, key, 'STORAGE', name, none, 128)), answer.storage)
    t.is(hex(kdfa(hash, key, 'INTEGRITY', none, none, hash.size * 8)), answer.integrity)
    t.is(hex(kdfa(hash, key, 'ATH', filled(16, 1), filled(16, 2), 1024)), answer.long)
  })

  test(`KDFe gives the known secrets with ${hash.name}`, t => {
    const secret = (bits: number): string =>
      hex(kdfe(hash, filled(32, 0x5a), 'IDENTITY', filled(32, 1), filled(32, 2), bits))
    t.is(secret(1024), answer.identity)
    t.is(secret(hash.size * 8), answer.identity.slice(0, 2 * hash.size))
  })
}
