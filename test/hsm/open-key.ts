import { openPkcs11Key } from '../../src/hsm/pkcs11-key.ts'

// A process of its own that opens keys one after the other and says on each line what came of it: the thumbprint, or
// the code of the refusal. Arguments: pairs of URI and PIN source; an empty source is none.

const rest = process.argv.slice(2)
while (rest.length > 0) {
  const [uri = '', pinSource = ''] = rest.splice(0, 2)
  try {
    const key = await openPkcs11Key(uri, pinSource === '' ? {} : { pinSource })
    await key.sign(Buffer.from('once'))
    await key.close()
    console.log(key.jkt)
  } catch (error) {
    console.log((error as { code?: string }).code ?? String(error))
  }
}
