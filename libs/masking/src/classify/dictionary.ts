import type { DataClass } from '../data-class.ts'
import type { ColumnFamily } from './column-family.ts'
import { setOf } from './words.ts'

/** A class and the phrases that mean it, in the terms of `words.ts`. */
export interface NameRule {
  readonly class: DataClass
  readonly confidence: number
  readonly phrases: readonly string[]
  /** What such a value can be stored as. A boolean named `email_verified` is no e-mail address. */
  readonly families: readonly ColumnFamily[]
  /** Only if the name or its table speaks of people (or their accounts), or of health; not if it speaks of places. */
  readonly context?: 'person' | 'account' | 'health' | 'not-places'
}

const TEXT = ['text', 'json', 'array', 'other'] as const
const NUMBERED = [...TEXT, 'integer', 'numeric'] as const

const rule = (
  dataClass: DataClass,
  confidence: number,
  families: readonly ColumnFamily[],
  phrases: string,
  context?: NameRule['context'],
): NameRule => ({
  class: dataClass,
  confidence,
  families,
  phrases: phrases.split(',').map((phrase) => phrase.trim().replaceAll(/\s+/g, ' ')),
  ...(context ? { context } : {}),
})

/** English, German, French, Spanish, Italian, Portuguese, Dutch. The longest phrase that occurs in a name decides. */
export const NAME_RULES: readonly NameRule[] = [
  // What only sounds like it. An account's name is how colleagues speak of each other; it stays readable.
  rule('clear', 0.9, TEXT, `
    user name, username, login name, login, host name, file name, domain name, mac address, web address,
    memory address, contract address, public key, primary key, foreign key, idempotency key, cache key, sort key,
    partition key, address type, email server, email template, zip file, token type, page token, next page token,
    password policy`),
  rule('email', 0.95, TEXT, `
    email, e email, email address, email id, electronic email, email electronico, posta elettronica, email adres`),
  rule('phone', 0.95, NUMBERED, `
    phone, phone number, mobile phone, mobile number, fax, fax number, msisdn, whatsapp, contact number, home phone,
    work phone, number phone, number mobile, cell number`),
  rule('phone', 0.85, NUMBERED, 'mobile, portable number, number portable, cell phone'),
  rule('phone', 0.8, NUMBERED, 'cell', 'person'),
  rule('person-name', 0.95, TEXT, `
    first name, last name, middle name, full name, given name, family name, surname, maiden name, name first,
    name last, nom famille, nom de famille, nombre completo, nome completo, nom complet, cardholder, card holder,
    cardholder name, account holder, account holder name, mothers maiden name, name on card, legal name, birth name,
    preferred name, name of person`),
  rule('person-name', 0.85, TEXT, 'name, nom, nombre, nome, naam', 'person'),
  rule('person-name', 0.85, TEXT, 'display name, nickname, real name, screen name', 'account'),
  rule('person-name', 0.8, TEXT, 'physician, doctor, surgeon, therapist, spouse, mother, father, guardian'),
  rule('person-name', 0.9, TEXT, `
    customer name, client name, employee name, patient name, contact name, person name, member name, student name,
    teacher name, doctor name, physician name, owner name, holder name, guest name, passenger name, applicant name,
    recipient name, sender name, buyer name, seller name, driver name, beneficiary name, spouse name, mother name,
    father name, parent name, child name, author name, reviewer name, manager name, user full name, emergency contact,
    next of kin, reporter name, approver name, insured name, candidate name, subscriber name, attendee name`),
  rule('address', 0.9, TEXT, `
    address, street, street address, address line, postal address, house number, street name, street number,
    billing address, shipping address, delivery address, home address, mailing address, number address, domicilio,
    residence address`),
  rule('address', 0.7, NUMBERED, 'zip, postal code, post code, code postal, codigo postal, codice postale'),
  rule('birth-date', 0.95, ['date', 'timestamp', 'text', 'integer', 'other', 'json', 'array'], `
    dob, birth date, date birth, date of birth, birthday, date naissance, date de naissance, naissance,
    fecha nacimiento, fecha de nacimiento, nacimiento, data nascita, data di nascita, nascita, data nascimento,
    data de nascimento, nascimento, birth dob, born on, born at, born date`),
  rule('ssn', 0.97, NUMBERED, `
    ssn, social security, social security number, ss number, socsec, us ssn, ssn number, itin ssn`),
  rule('national-id', 0.9, NUMBERED, `
    national id, national identity, national identifier, national id number, national number, nino, ni number,
    national insurance, national insurance number, identity card, identity card number, identity number, id card,
    id card number, government id, citizen id, personal number, personal id number, securite sociale,
    number securite sociale, secu, number secu, nir, dni, nie, curp, cedula, codice fiscale, cpf, bsn,
    burgerservicenummer, rijksregisternummer, pesel, personnummer, fodselsnummer, aadhaar, aadhar, ahv, ahv number,
    sin number, social insurance number, documento identidad, documento identidade, carte identite, carta identita,
    cnp, egn, hkid, nric, rrn, my number`),
  rule('tax-id', 0.9, NUMBERED, `
    tax id, tax ref, tax reference, tax number, tax identification number, taxpayer id, tin, itin, steuer id, identifiant fiscal,
    number fiscal, nif, codigo fiscal, rfc, pan number, utr, tax file number, tfn, belastingnummer`),
  rule('card', 0.95, NUMBERED, `
    card number, credit card, credit card number, debit card, debit card number, payment card number, card pan,
    number carte, carte bancaire, number tarjeta, tarjeta credito, number carta, carta credito, carta di credito,
    cartao credito, cartao de credito, number cartao, cvv, cvc, cvv 2, cvc 2, card code, card cvv, card cvc,
    primary account number, cc number`),
  rule('card', 0.8, NUMBERED, 'pan'),
  rule('bank-account', 0.95, NUMBERED, `
    iban, bank account, bank account number, bank account no, clabe, number compte, compte bancaire, number cuenta,
    cuenta bancaria, number conto, conto corrente, conto bancario, number conta, conta bancaria, conta corrente,
    iban number, account iban`),
  rule('bank-account', 0.85, NUMBERED, 'account number'),
  rule('passport', 0.95, NUMBERED, 'passport, passport number, passport id, number passport'),
  rule('driving-licence', 0.95, NUMBERED, `
    driver license, driver license number, driving license, driving license number, dl number, permis conduire,
    permis de conduire, licencia conducir, licencia de conducir, carnet conducir, carnet de conducir, patente guida,
    patente di guida, carta conducao, cnh, license driver`),
  rule('medical-record', 0.95, NUMBERED, `
    mrn, medical record, medical record number, health insurance, health insurance number, health insurance id,
    insurance id, insurance number, insurance member id, insurance policy number, nhs number, medicare number,
    medicare id, medicaid id, mbi, health card, health card number, health plan id, carte vitale, number carte vitale,
    tessera sanitaria, cartao saude, patient number, health record number, subscriber id`),
  rule('medical-record', 0.85, ['text', 'other'], 'patient id', 'health'),
  rule('diagnosis', 0.95, TEXT, `
    diagnosis, icd, icd 10, icd 9, icd code, icd 10 code, diagnosis code, medical condition, medical history,
    medication, prescription, allergy, symptoms, disease, blood type, blood group, blutgruppe, health condition,
    hiv status, pregnancy`),
  rule('diagnosis', 0.85, TEXT, 'condition, treatment, procedure, drug, dosage, prognosis', 'health'),
  rule('ip-address', 0.9, ['text', 'inet', 'other', 'json', 'array'], `
    ip, ip address, client ip, remote ip, remote address, remote addr, source ip, src ip, user ip, last ip,
    address ip, x forwarded for`),
  rule('geo', 0.9, ['text', 'numeric', 'float', 'geometric', 'other', 'json', 'array'], `
    latitude, longitude, latlng, lat long, geo location, geolocation, coordinates, gps, gps position, gps coordinates,
    geo point, geopoint`, 'not-places'),
  rule('secret', 0.95, TEXT, `
    api key, api secret, api token, secret, secret key, access token, refresh token, auth token, bearer token,
    session token, id token, private key, client secret, webhook secret, signing key, signing secret, encryption key,
    totp secret, otp secret, mfa secret, access key, secret access key, recovery code, recovery codes, backup codes,
    reset token, password reset token, confirmation token, verification token, remember token, csrf token,
    personal access token, credentials, cle api, clave api, chiave api, chave api, cle secrete, clave secreta,
    chiave segreta, chave secreta, shared secret, license key, pin code hash, cookie, session cookie, session key,
    jwt, zugangsdaten, oauth token, device token, push token, connection string, database url, dsn, secret question,
    secret answer, security answer, question answer`),
  rule('secret', 0.9, TEXT, 'token, otp'),
  // In JSON it is how many a language model has read.
  rule('secret', 0.9, ['text', 'array', 'other'], 'tokens'),
  rule('password', 0.97, TEXT, `
    password, passphrase, password hash, password digest, encrypted password, hashed password, pass word, mot passe,
    mot de passe, pass hash, user pass, db pass, password salt, password hint, crypted password, smtp pass`),
  rule('password', 0.8, TEXT, 'pass, pin'),
  rule('free-text', 0.8, ['text', 'other'], `
    notes, comment, description, message, body, content, text, feedback, review, reason, subject, summary, transcript,
    bio, biography, about, details, free text, answer, question, reply, conversation, email body, email subject,
    email text, message body, description text, log line, raw text, body text, body html, html body`),
] // prettier-ignore

/** After a phrase these say that the column is about the thing and not the thing itself: `email_status`. */
export const ABOUT = setOf(`
  status state type kind count total verified valid validated enabled disabled flag sent received created updated
  changed modified deleted at on expiry expires expiration exp issued format template domain provider server host
  label city category version model make length policy attempts limit opt consent preference preferences subscribed
  bounced bounce confirmed required setting settings lang language locale country color colour size weight rate score
  rank priority brand network issuer bin queue campaign list available visible visibility optin optout frequency used
  usage spent left remaining cost retries timeout ttl seconds minutes days month year index idx position order group
  prefix suffix name names title url link uri file path image icon column table field schema store format mime
  encoding charset algorithm algo rounds strength quality level tier plan operator carrier os app`)

/** An identifier that points to a row: `email_id`, when it is a number or a UUID. */
export const POINTERS: ReadonlySet<string> = new Set(['id', 'ids', 'uuid', 'guid', 'ref', 'fk', 'key', 'pk', 'oid'])

/** A name that begins like this is a yes or a no, or a number of things: `has_email`, `is_mobile`, `count_tokens`. */
export const ASKING = setOf(`
  is has can should was had allow allows needs require requires show hide use uses with enable disable count total max
  min avg`)

/** People, as names of tables and of other columns' first words say it (singular; an `s` behind is ignored). */
export const PERSON_WORDS = setOf(`
  customer client user employee patient contact person people member student teacher doctor physician nurse owner
  holder guest passenger applicant recipient sender buyer seller driver beneficiary spouse mother father parent child
  children author reviewer manager subscriber attendee participant candidate profile staff worker citizen voter tenant
  lead borrower donor player visitor individual resident consumer cardholder insured dependent guardian friend
  colleague approver reporter assignee requester signatory witness agent partner player hr crew crm`)

/** Places and things that have a position which is nobody's secret. */
export const PLACE_WORDS = setOf(`
  store shop city country region airport station branch warehouse place poi hotel restaurant office site location zone
  county`)

export const HEALTH_WORDS = setOf(`
  patient health medical clinic hospital diagnosis encounter admission visit treatment prescription lab`)
