import { hexOf, type FormLint } from '../lint.ts'

/** Positive, of at most 20 octets, in the shortest form. */
export const serialNumber: FormLint = {
  code: 'lint-serial-number',
  summary: 'The serial number is not a positive INTEGER of at most 20 octets.',
  source: 'RFC 5280 §4.1.2.2; X.690 §8.3.2',
  find: ({ serial }) => {
    const [first = 0x80, second = 0] = serial
    const isPositive = first < 0x80 && serial.some(octet => octet !== 0)
    const isShortest = serial.length === 1 || first !== 0 || second >= 0x80
    return isPositive && isShortest && serial.length <= 20 ? undefined : hexOf(serial)
  },
}
