/** What a column, or a value found inside one, holds. Closed: a new class needs a line in the table below. */
export const DATA_CLASSES = [
  'clear',
  'unknown',
  'email',
  'phone',
  'person-name',
  'address',
  'birth-date',
  'ssn',
  'national-id',
  'card',
  'bank-account',
  'tax-id',
  'passport',
  'driving-licence',
  'medical-record',
  'diagnosis',
  'ip-address',
  'geo',
  'secret',
  'password',
  'free-text',
] as const

export type DataClass = (typeof DATA_CLASSES)[number]

/**
 * How a value is hidden.
 *
 * `partial` keeps what support work needs (initials, a domain's first letter, the last four digits); `redact` puts a
 * label where the type has room for text and NULL elsewhere; `year` keeps the year of a date; `pseudonym` is keyed and
 * stable, so that equal values stay equal.
 */
export const MASK_KINDS = ['partial', 'redact', 'null', 'year', 'pseudonym'] as const

export type MaskKind = (typeof MASK_KINDS)[number]

export interface ClassTraits {
  readonly title: string
  /**
   * `none`: shown. `personal`: names or describes someone. `special`: harms them if it leaks. `secret`: opens a door.
   */
  readonly sensitivity: 'none' | 'personal' | 'special' | 'secret'
  readonly defaultMask: MaskKind
}

export const CLASS_TRAITS: Readonly<Record<DataClass, ClassTraits>> = {
  clear: { title: 'nothing sensitive', sensitivity: 'none', defaultMask: 'partial' },
  unknown: { title: 'not classified yet', sensitivity: 'personal', defaultMask: 'redact' },
  email: { title: 'e-mail address', sensitivity: 'personal', defaultMask: 'partial' },
  phone: { title: 'phone number', sensitivity: 'personal', defaultMask: 'partial' },
  'person-name': { title: 'name of a person', sensitivity: 'personal', defaultMask: 'partial' },
  address: { title: 'postal address', sensitivity: 'personal', defaultMask: 'redact' },
  'birth-date': { title: 'date of birth', sensitivity: 'personal', defaultMask: 'year' },
  ssn: { title: 'US social security number', sensitivity: 'special', defaultMask: 'partial' },
  'national-id': { title: 'national identity number', sensitivity: 'special', defaultMask: 'partial' },
  card: { title: 'payment card', sensitivity: 'special', defaultMask: 'partial' },
  'bank-account': { title: 'bank account (IBAN, account number)', sensitivity: 'special', defaultMask: 'partial' },
  'tax-id': { title: 'tax number of a person', sensitivity: 'special', defaultMask: 'partial' },
  passport: { title: 'passport number', sensitivity: 'special', defaultMask: 'partial' },
  'driving-licence': { title: 'driving licence number', sensitivity: 'special', defaultMask: 'partial' },
  'medical-record': {
    title: 'medical record or health insurance number',
    sensitivity: 'special',
    defaultMask: 'partial',
  },
  diagnosis: { title: 'diagnosis, medication, state of health', sensitivity: 'special', defaultMask: 'redact' },
  'ip-address': { title: 'network address of a person', sensitivity: 'personal', defaultMask: 'partial' },
  geo: { title: 'position of a person', sensitivity: 'personal', defaultMask: 'redact' },
  secret: { title: 'API key, token, private key', sensitivity: 'secret', defaultMask: 'redact' },
  password: { title: 'password or its hash', sensitivity: 'secret', defaultMask: 'redact' },
  'free-text': { title: 'free text: values are looked for in it', sensitivity: 'none', defaultMask: 'partial' },
}

/** Whether a column of this class is masked as a whole. Of the others only values that are found in them are. */
export const isSensitive = (dataClass: DataClass): boolean => CLASS_TRAITS[dataClass].sensitivity !== 'none'

export const isDataClass = (word: string): word is DataClass => (DATA_CLASSES as readonly string[]).includes(word)

export const isMaskKind = (word: string): word is MaskKind => (MASK_KINDS as readonly string[]).includes(word)

/** What stands where a value stood: `[email]`, `[masked]`. */
export const labelOf = (dataClass: DataClass): string => LABELS[dataClass]

const LABELS = Object.fromEntries(
  DATA_CLASSES.map((dataClass) => [
    dataClass,
    isSensitive(dataClass) && dataClass !== 'unknown' ? `[${dataClass}]` : '[masked]',
  ]),
) as Record<DataClass, string>
