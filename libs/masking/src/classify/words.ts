/** Cuts a name into words as people write them: `custEmail`, `cust_email`, `E-Mail`, `Straße 2` → lower case, ASCII. */
export const wordsOf = (name: string): readonly string[] =>
  name
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .replaceAll(/\p{M}+/gu, '')
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replaceAll(/([A-Za-z])(\d)|(\d)([A-Za-z])/g, '$1$3 $2$4')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')

/** Words that mean another word of the dictionary. Two stand for two: `fname` is `first name`. */
const SYNONYMS: Readonly<Record<string, string>> = {
  mail: 'email', emails: 'email', mailadres: 'email', correo: 'email', courriel: 'email', emailadresse: 'email address',
  num: 'number', no: 'number', nr: 'number', nbr: 'number', numb: 'number', nummer: 'number', numero: 'number',
  numeros: 'number', numbers: 'number', nums: 'number',
  addr: 'address', adr: 'address', adresse: 'address', adres: 'address', addresses: 'address', adresses: 'address',
  direccion: 'address', indirizzo: 'address', endereco: 'address', anschrift: 'address',
  acct: 'account', konto: 'account', acc: 'account', accnt: 'account', accounts: 'account',
  cust: 'customer', emp: 'employee', usr: 'user', pat: 'patient', pers: 'person', ppl: 'people',
  fname: 'first name', lname: 'last name', mname: 'middle name', firstnames: 'first name', surnames: 'surname',
  fullname: 'full name', tel: 'phone', telephone: 'phone', telefon: 'phone', telefono: 'phone', telefone: 'phone',
  telefoon: 'phone', phones: 'phone', telephones: 'phone', fon: 'phone', rufnummer: 'phone', fono: 'phone',
  mobil: 'mobile', movil: 'mobile', movel: 'mobile', mobiel: 'mobile', mobiles: 'mobile', celular: 'mobile',
  cellulare: 'mobile', telemovel: 'mobile', cellphone: 'mobile', handy: 'mobile', gsm: 'mobile',
  dt: 'date', bday: 'birthday', bdate: 'birth date', bdt: 'birth date', dobs: 'dob',
  ccnum: 'credit card number', creditcard: 'credit card', debitcard: 'debit card',
  passwd: 'password', pwd: 'password', passwords: 'password', passwort: 'password', kennwort: 'password',
  contrasena: 'password', senha: 'password', wachtwoord: 'password', mdp: 'password', pw: 'password', pswd: 'password',
  licence: 'license', licenses: 'license', licences: 'license', lic: 'license', drivers: 'driver',
  strasse: 'street', strassenname: 'street', straat: 'street', straatnaam: 'street', rue: 'street', calle: 'street',
  rua: 'street', logradouro: 'street', streets: 'street', zipcode: 'zip', postcode: 'zip', plz: 'zip',
  postleitzahl: 'zip', cep: 'zip', secrets: 'secret', creds: 'credentials',
  credential: 'credentials', geheimnis: 'secret', segredo: 'secret', jeton: 'token', ips: 'ip', ipaddr: 'ip address',
  lng: 'longitude', lon: 'longitude', lat: 'latitude', coords: 'coordinates', coord: 'coordinates',
  latlong: 'latlng', latlon: 'latlng', remark: 'notes', remarks: 'notes', bemerkung: 'notes',
  bemerkungen: 'notes', notiz: 'notes', notizen: 'notes', note: 'notes', nota: 'notes', notas: 'notes', memo: 'notes',
  kommentar: 'comment', kommentare: 'comment', comments: 'comment', commentaire: 'comment', comentario: 'comment',
  comentarios: 'comment', commento: 'comment', opmerking: 'comment', opmerkingen: 'comment', toelichting: 'comment',
  beschreibung: 'description', descripcion: 'description', descrizione: 'description', descricao: 'description',
  omschrijving: 'description', observaciones: 'comment', observacoes: 'comment', osservazioni: 'comment',
  remarques: 'comment', remarque: 'comment', desc: 'description', descr: 'description', nachricht: 'message',
  mensaje: 'message', messaggio: 'message', mensagem: 'message', bericht: 'message',
  messages: 'message', msg: 'message',
  vorname: 'first name', vornamen: 'first name', nachname: 'last name', familienname: 'last name', zuname: 'last name',
  geburtsname: 'last name', prenom: 'first name', prenoms: 'first name', apellido: 'last name', apellidos: 'last name',
  cognome: 'last name', sobrenome: 'last name', apelido: 'last name', voornaam: 'first name', achternaam: 'last name',
  voornamen: 'first name', familienaam: 'last name', tussenvoegsel: 'last name', forename: 'first name',
  geburtsdatum: 'birth date', gebdatum: 'birth date', gebdat: 'birth date', geburtstag: 'birthday',
  geboortedatum: 'birth date', birthdate: 'birth date', birthdays: 'birthday', geburt: 'birth',
  kontonummer: 'account number', bankkonto: 'bank account', bankverbindung: 'bank account', kontonr: 'account number',
  rekeningnummer: 'account number', bankrekening: 'bank account', kreditkarte: 'credit card',
  kreditkartennummer: 'credit card number', kartennummer: 'card number', creditcardnummer: 'credit card number',
  kartennr: 'card number', reisepass: 'passport', reisepassnummer: 'passport number', passeport: 'passport',
  passnummer: 'passport number', pasaporte: 'passport', passaporto: 'passport', passaporte: 'passport',
  paspoort: 'passport', paspoortnummer: 'passport number', fuhrerschein: 'driving license',
  fuehrerschein: 'driving license', fuhrerscheinnummer: 'driving license', fuehrerscheinnummer: 'driving license',
  rijbewijs: 'driving license', rijbewijsnummer: 'driving license', driverlicense: 'driving license',
  diagnose: 'diagnosis', diagnosen: 'diagnosis', diagnoses: 'diagnosis', diagnostico: 'diagnosis', befund: 'diagnosis',
  diagnosi: 'diagnosis', krankheit: 'disease', maladie: 'disease', enfermedad: 'disease', malattia: 'disease',
  doenca: 'disease', ziekte: 'disease', diseases: 'disease', medikament: 'medication', medicamento: 'medication',
  medications: 'medication', medicijn: 'medication', prescriptions: 'prescription', allergies: 'allergy',
  symptom: 'symptoms', sintomas: 'symptoms', symptome: 'symptoms', conditions: 'condition',
  kunde: 'customer', kunden: 'customer', mitarbeiter: 'employee', klant: 'customer', klanten: 'customer',
  medewerker: 'employee', medewerkers: 'employee', cliente: 'customer', clientes: 'customer', clienti: 'customer',
  empleado: 'employee', empleados: 'employee', employe: 'employee', employes: 'employee', dipendente: 'employee',
  dipendenti: 'employee', funcionario: 'employee', funcionarios: 'employee', personen: 'person', personne: 'person',
  personnes: 'person', persona: 'person', personas: 'person', persone: 'person', pessoa: 'person', pessoas: 'person',
  persoon: 'person', benutzer: 'user', usuario: 'user', usuarios: 'user', utente: 'user',
  utenti: 'user', utilisateur: 'user', utilisateurs: 'user', gebruiker: 'user', gebruikers: 'user',
  patienten: 'patient', paciente: 'patient', pacientes: 'patient', paziente: 'patient', pazienti: 'patient',
  ansprechpartner: 'contact', inhaber: 'owner', kontoinhaber: 'account holder', karteninhaber: 'cardholder',
  empfanger: 'recipient', empfaenger: 'recipient', absender: 'sender', fahrer: 'driver', schuler: 'student',
  apikey: 'api key', apikeys: 'api key', ipadresse: 'ip address', breitengrad: 'latitude', langengrad: 'longitude',
  laengengrad: 'longitude', latitud: 'latitude', longitud: 'longitude', latitudine: 'latitude',
  longitudine: 'longitude', hausnummer: 'house number', hausnr: 'house number', huisnummer: 'house number',
  sozialversicherungsnummer: 'national insurance number', svnr: 'national insurance number',
  svnummer: 'national insurance number', rentenversicherungsnummer: 'national insurance number',
  personalausweis: 'identity card', personalausweisnummer: 'identity card number',
  ausweisnummer: 'identity card number',
  ausweisnr: 'identity card number', steuernummer: 'tax number', steuernr: 'tax number', steuerid: 'tax id',
  steueridentifikationsnummer: 'tax id', versichertennummer: 'insurance number', kvnr: 'insurance number',
  versicherungsnummer: 'insurance number', krankenversicherungsnummer: 'insurance number',
  krankenversichertennummer: 'insurance number', versichertennr: 'insurance number',
} // prettier-ignore

/** Words of names that run together, besides those of the dictionary itself: enough to cut `productname` in two. */
const FILLERS = setOf(`
  user app file host product company table column schema server domain device display event field group item job key
  label list login model order org page path plan process project queue role rule shop site status store tag task team
  tenant test title topic type url value vendor version view work home main primary secondary billing shipping delivery
  invoice old new current default private public business personal reset confirmation verified hash salt encrypted line
  code count total sent created updated at on by is has id ids of the and for my its their`)

/** The words of a text as a set. */
export function setOf(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/))
}

/** All words that a name may be cut into; filled by the dictionary when it is loaded. */
export const vocabularyOf = (phrases: Iterable<string>): ReadonlySet<string> =>
  new Set([...[...phrases].flatMap((phrase) => phrase.split(' ')), ...Object.keys(SYNONYMS), ...FILLERS])

/** The words of a name in the dictionary's own terms: cut where they run together, and synonyms replaced. */
export const termsOf = (name: string, vocabulary: ReadonlySet<string>): readonly string[] =>
  wordsOf(name)
    .flatMap((word) => cut(word, vocabulary))
    .flatMap((word) => (Object.hasOwn(SYNONYMS, word) ? (SYNONYMS[word] ?? word).split(' ') : [word]))

const CUT_LENGTH_MAX = 40
const SUFFIXES: ReadonlySet<string> = new Set(['id', 'nr', 'no'])

/** The fewest words of the vocabulary that make up `word`; the word itself when there are none. */
const cut = (word: string, vocabulary: ReadonlySet<string>): readonly string[] => {
  if (word.length < 5 || word.length > CUT_LENGTH_MAX || vocabulary.has(word)) return [word]
  const best: (readonly string[] | undefined)[] = [[]]
  for (let end = 1; end <= word.length; end++) best[end] = bestCut(word, end, best, vocabulary)
  return best[word.length] ?? [word]
}

const bestCut = (
  word: string,
  end: number,
  best: readonly (readonly string[] | undefined)[],
  vocabulary: ReadonlySet<string>,
): readonly string[] | undefined => {
  let found: readonly string[] | undefined
  for (let start = 0; start < end; start++) {
    const before = best[start]
    const part = word.slice(start, end)
    // Two letters that happen to be a word are no sign that a name was put together from parts; `cardno` was.
    const fits = before !== undefined && (part.length > 2 || (end === word.length && SUFFIXES.has(part)))
    if (fits && vocabulary.has(part) && (!found || before.length + 1 < found.length)) found = [...before, part]
  }
  return found
}
