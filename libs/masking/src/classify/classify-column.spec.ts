import { describe, expect, it } from 'vitest'
import type { DataClass } from '../data-class.ts'
import { classifyColumn, type ColumnToClassify } from './classify-column.ts'

describe('names that say what a column holds', () => {
  it.each<[DataClass, string]>([
    [
      'email',
      `
      email e_mail EMail email_address emailAddress custEmail cust_email contact_email2 mail correo_electronico
      courriel adresse_email email_adres posta_elettronica endereco_email work_email EMAILADDRESS`,
    ],
    [
      'phone',
      `
      phone phone_number phoneNo mobile mobile_phone tel telephone fax telefonnummer mobilnummer handynummer
      numero_telephone telefono movil cellulare telefone telemovel telefoonnummer phone1 home_phone
      emergency_contact_phone whatsapp`,
    ],
    [
      'person-name',
      `
      first_name firstName fname last_name lname surname full_name fullName middle_name given_name maiden_name vorname
      nachname familienname prenom nom_famille nombre_completo apellido apellidos cognome sobrenome voornaam
      achternaam cardholder cardholder_name account_holder name_on_card patient_name contact_name emergency_contact
      mothers_maiden_name kontoinhaber`,
    ],
    [
      'address',
      `
      address street street_address address_line1 addr1 strasse straße hausnummer anschrift adresse rue direccion
      indirizzo endereco adres straatnaam billing_address shipping_street zip postcode plz codigo_postal`,
    ],
    [
      'birth-date',
      `
      dob birth_date birthdate date_of_birth birthday geburtsdatum geburtstag date_naissance fecha_nacimiento
      data_nascita data_nascimento geboortedatum bday`,
    ],
    ['ssn', 'ssn social_security_number socialSecurityNumber us_ssn ssn_last4 employee_ssn'],
    [
      'national-id',
      `
      national_id nationalId nino national_insurance_number personalausweis ausweisnummer sozialversicherungsnummer
      numero_securite_sociale nir dni nie curp codice_fiscale cpf bsn rijksregisternummer pesel personnummer aadhaar`,
    ],
    ['tax-id', 'tax_id taxId tin itin steuernummer steuer_id steuerid numero_fiscal nif'],
    [
      'card',
      `
      card_number cardNumber credit_card creditcard_no cc_number ccnum pan kreditkartennummer numero_carte
      numero_tarjeta numero_carta cartao_credito creditcardnummer cvv cvc`,
    ],
    [
      'bank-account',
      `
      iban bank_account account_number acct_no kontonummer konto_nr numero_compte numero_cuenta numero_conto
      rekeningnummer customer_iban clabe`,
    ],
    [
      'passport',
      `
      passport passport_no passportNumber reisepassnummer passeport pasaporte passaporto passaporte paspoortnummer`,
    ],
    [
      'driving-licence',
      `
      drivers_license driver_licence_number driving_licence fuehrerschein führerscheinnr permis_de_conduire
      licencia_conducir patente_di_guida carta_conducao rijbewijsnummer`,
    ],
    [
      'medical-record',
      `
      mrn medical_record_number health_insurance_id insurance_number insurance_id versichertennummer
      krankenversicherungsnummer nhs_number numero_carte_vitale`,
    ],
    [
      'diagnosis',
      `
      diagnosis diagnoses diagnose icd10_code icd_code medical_condition diagnostico diagnosi medication allergies
      blood_type`,
    ],
    ['ip-address', 'ip ip_address ipAddress client_ip remote_addr last_ip ip_adresse'],
    [
      'secret',
      `
      api_key apiKey apikey secret client_secret access_token refresh_token auth_token token webhook_secret
      private_key session_token totp_secret clave_api otp`,
    ],
    [
      'password',
      `
      password passwd pwd password_hash passwordHash encrypted_password passwort kennwort mot_de_passe contraseña
      senha wachtwoord user_password`,
    ],
    [
      'free-text',
      `
      notes note comment comments description remarks message body bemerkung kommentar commentaire observaciones nota
      osservazioni opmerking feedback`,
    ],
  ])('%s', (dataClass, names) => {
    for (const column of names.trim().split(/\s+/))
      expect(classOf({ relation: 'customers', column }), column).toBe(dataClass)
  })

  it('ask for the table where the name alone is not enough', () => {
    for (const relation of [
      'customers',
      'users',
      'app_user',
      'patients',
      'employees',
      'Kunden',
      'klanten',
      'clientes',
      'contacts_2024',
    ]) {
      expect(classOf({ relation, column: 'name' }), relation).toBe('person-name')
    }
    for (const relation of ['products', 'plans', 'companies', 'user_groups', 'customer_segments', 'cities', 'files']) {
      expect(classOf({ relation, column: 'name' }), relation).toBe('clear')
    }
    expect(classOf({ relation: 'stores', column: 'latitude', dataType: 'double precision' })).toBe('clear')
    expect(classOf({ relation: 'users', column: 'latitude', dataType: 'double precision' })).toBe('geo')
    expect(classOf({ relation: 'accounts', column: 'display_name' })).toBe('person-name')
    expect(classOf({ relation: 'accounts', column: 'name' })).toBe('clear')
    expect(classOf({ relation: 'products', column: 'display_name' })).toBe('clear')
    expect(classOf({ relation: 'patients', column: 'condition' })).toBe('diagnosis')
    expect(classOf({ relation: 'products', column: 'condition' })).toBe('clear')
  })
})

describe('names that only sound like it', () => {
  it.each(
    `order_id product_name file_name company_name host_name username user_name login created_at city country state
     email_status email_type email_count email_template phone_type phone_country_code card_type card_brand card_last4
     address_id address_type mac_address web_address token_count token_type token_expires_at tokens_used key value
     public_key primary_key api_key_id secret_name password_changed passport_expiry_type title gender salary currency
     sku url version hash checksum region timezone locale language iso_code category priority quantity total price rate
     ssn_verified is_email has_phone birth_year document_type street_count message_id comment_count
     panel expand shipping
     pipeline company discount passage compass classify mailing emailed telescope cellar notebook tinted`.split(/\s+/),
  )('%s', (column) =>
    expect(classOf({ relation: 'things', column })).toSatisfy((found) => found === 'clear' || found === 'free-text'),
  )

  it.each([
    ['email_verified', 'boolean'],
    ['email_sent_at', 'timestamp with time zone'],
    ['email_id', 'bigint'],
    ['phone_id', 'uuid'],
    ['password_changed_at', 'timestamptz'],
    ['token', 'integer'],
    ['mobile', 'boolean'],
    ['address_id', 'integer'],
    ['card_count', 'integer'],
    ['description_length', 'integer'],
    ['created_at', 'date'],
    ['name', 'boolean'],
  ])('%s %s', (column, dataType) => expect(classOf({ relation: 'customers', column, dataType })).toBe('clear'))
})

describe('types', () => {
  it.each<[string, string, DataClass]>([
    ['ssn', 'bigint', 'ssn'],
    ['card_number', 'numeric(19,0)', 'card'],
    ['phone', 'character varying(20)', 'phone'],
    ['phones', 'text[]', 'phone'],
    ['email', 'public.citext', 'email'],
    ['dob', 'timestamp without time zone', 'birth-date'],
    ['last_seen_from', 'inet', 'ip-address'],
    ['subnet', 'inet', 'clear'],
    ['profile', 'jsonb', 'free-text'],
    ['tags', 'text[]', 'free-text'],
    ['mood', 'public.mood', 'free-text'],
    ['amount', 'numeric', 'clear'],
  ])('%s %s: %s', (column, dataType, dataClass) => expect(classOf({ relation: 't', column, dataType })).toBe(dataClass))
})

describe('comments', () => {
  it.each<[string, DataClass]>([
    ['PII: US social security number', 'ssn'],
    ['e-mail of the customer', 'email'],
    ['Geburtsdatum, personenbezogen', 'birth-date'],
    ['personal data', 'unknown'],
    ['confidential', 'unknown'],
    ['free text, may contain personal data', 'free-text'],
    ['not personal data', 'clear'],
    ['the status that is shown after an email was sent to the phone', 'clear'],
  ])('%s', (comment, dataClass) => expect(classOf({ relation: 't', column: 'x', comment })).toBe(dataClass))

  it('outweigh the name', () => {
    expect(
      classOf({ relation: 'customers', column: 'email', comment: 'no personal data: always a shared mailbox' }),
    ).toBe('clear')
  })
})

describe('foreign keys', () => {
  it('pass on what they point to', () => {
    const references = { relation: 'customers', column: 'email', class: 'email' } as const
    expect(classOf({ relation: 'orders', column: 'buyer', references })).toBe('email')
  })

  it('that point to a row hold its number and nothing else', () => {
    expect(
      classOf({
        relation: 'claims',
        column: 'insurance_id',
        dataType: 'bigint',
        references: { relation: 'insurances', column: 'id' },
      }),
    ).toBe('clear')
  })
})

describe('samples', () => {
  const emails = Array.from({ length: 20 }, (_, i) => `person${i}@example.com`)

  it('decide when most are of one class', () => {
    expect(classifyColumn({ ...BLANK, samples: [...emails, null, null, 'none', 'unknown'] })).toMatchObject({
      class: 'email',
      because: '91 % of its values are of this class',
    })
    expect(classOf({ samples: ['4111111111111111', '5555555555554444', '378282246310005'] })).toBe('card')
    expect(classOf({ samples: ['030 1234567', '0171/1234567', '(415) 555-1234', '+49 30 1234567'] })).toBe('phone')
  })

  it('make the class certain when the name says the same', () => {
    expect(classifyColumn({ ...BLANK, column: 'email', samples: emails }).confidence).toBe(0.99)
  })

  it('show text in which values stand', () => {
    expect(classOf({ samples: ['see', 'ok', 'call ana@example.com', 'done', 'no'] })).toBe('free-text')
    expect(
      classOf({
        samples: ['the quick brown fox jumps over it', 'a lazy dog is lying there', 'nothing of interest in here'],
      }),
    ).toBe('free-text')
  })

  it('of numbers that pass a check digit now and then do not decide', () => {
    const numbers = Array.from({ length: 50 }, (_, i) => `${4_000_000_000_000_000 + i * 7_919_191}`)
    expect(classOf({ dataType: 'bigint', samples: numbers })).toBe('clear')
  })

  it('of which a third are keys hold keys without a form too', () => {
    const key = (i: number) => `gh${'p'}_${String(i).padStart(36, 'aB3')}`
    expect(
      classOf({ column: 'value', samples: [key(1), key(2), 'd41d8cd98f00b204e9800998ecf8427e', 'EUR', '5'] }),
    ).toBe('secret')
    expect(classOf({ column: 'value', samples: [key(1), 'EUR', '5', 'x', 'y', 'z'] })).toBe('free-text')
  })

  it('are too few below three', () => expect(classOf({ samples: ['a@example.com', 'b@example.com'] })).toBe('clear'))

  it('do not show in the reason', () => {
    const { because } = classifyColumn({ ...BLANK, samples: emails })
    expect(because).not.toContain('example.com')
  })
})

it('takes any name', () => {
  for (const column of [
    '',
    '_',
    '1',
    'a'.repeat(10_000),
    '名前',
    '__proto__',
    'constructor',
    'toString',
    '"email"',
    'e\u0000mail',
    '😀',
  ]) {
    expect(classifyColumn({ ...BLANK, column }).confidence).toBeGreaterThan(0)
  }
})

const BLANK: ColumnToClassify = { schema: 'public', relation: 't', column: 'x', dataType: 'text' }

const classOf = (column: Partial<ColumnToClassify>): DataClass => classifyColumn({ ...BLANK, ...column }).class
