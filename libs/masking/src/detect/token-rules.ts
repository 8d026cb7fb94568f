import type { DataClass } from '../data-class.ts'
import { BASE32_UPPER, BASE62, BASE64_URL, CRYPT, HEX, TOKEN, WORD } from './characters.ts'

/** A token is known by how it begins; then come `min` to `max` characters of one alphabet, and something else. */
export interface TokenRule {
  readonly vendor: string
  readonly prefix: string
  readonly alphabet: Uint8Array
  readonly min: number
  readonly max: number
  readonly class: DataClass
}

const rule =
  (alphabet: Uint8Array, min: number, max = Number.MAX_SAFE_INTEGER, dataClass: DataClass = 'secret') =>
  (vendor: string, ...prefixes: readonly string[]): readonly TokenRule[] =>
    prefixes.map((prefix) => ({ vendor, prefix, alphabet, min, max, class: dataClass }))

const exactly = (alphabet: Uint8Array, length: number, dataClass?: DataClass) =>
  rule(alphabet, length, length, dataClass)

/**
 * What the vendors document, or what gitleaks' rules (MIT) have collected, about the form of their keys. Publishable
 * keys (`pk_live_…`) and account names (Twilio's `AC…`) are not secrets and not listed.
 */
export const TOKEN_RULES: readonly TokenRule[] = [
  ...exactly(BASE32_UPPER, 16)('AWS access key', 'AKIA', 'ASIA', 'ABIA', 'ACCA'),
  ...rule(BASE62, 36)('GitHub', 'ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'),
  ...rule(WORD, 40)('GitHub', 'github_pat_'),
  ...rule(BASE64_URL, 20)(
    'GitLab',
    'glpat-',
    'gldt-',
    'glrt-',
    'glptt-',
    'glft-',
    'glsoat-',
    'glcbt-',
    'glimt-',
    'glagent-',
  ),
  ...rule(BASE64_URL, 10)(
    'Slack',
    'xoxb-',
    'xoxp-',
    'xoxa-',
    'xoxe-',
    'xoxr-',
    'xoxs-',
    'xoxo-',
    'xoxe.xoxp-',
    'xapp-',
  ),
  ...rule(TOKEN, 20)('Slack webhook', 'hooks.slack.com/services/', 'hooks.slack.com/workflows/'),
  ...rule(BASE62, 10)('Stripe', 'sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'),
  ...rule(BASE62, 24)('Stripe webhook', 'whsec_'),
  ...exactly(BASE64_URL, 35)('Google API key', 'AIza'),
  ...rule(BASE64_URL, 24)('Google OAuth client', 'GOCSPX-'),
  ...rule(TOKEN, 30)('Google OAuth token', 'ya29.'),
  ...exactly(HEX, 32)('Twilio', 'SK'),
  ...rule(TOKEN, 50)('SendGrid', 'SG.'),
  ...exactly(BASE62, 36)('npm', 'npm_'),
  ...rule(BASE64_URL, 32)('PyPI', 'pypi-AgE'),
  ...rule(BASE64_URL, 20)('OpenAI', 'sk-proj-', 'sk-svcacct-', 'sk-admin-', 'sk-None-'),
  ...rule(BASE64_URL, 20)('Anthropic', 'sk-ant-'),
  ...rule(BASE62, 32)('OpenAI and others', 'sk-'),
  ...rule(BASE62, 32)('OpenRouter', 'sk-or-v1-'),
  ...rule(BASE62, 32)('Groq', 'gsk_'),
  ...rule(BASE62, 32)('Hugging Face', 'hf_', 'api_org_'),
  ...rule(BASE62, 32)('Replicate', 'r8_'),
  ...rule(BASE62, 40)('xAI', 'xai-'),
  ...rule(BASE62, 32)('Perplexity', 'pplx-'),
  ...exactly(HEX, 32)('Shopify', 'shpat_', 'shpca_', 'shppa_', 'shpss_'),
  ...rule(BASE64_URL, 22)('Square', 'sq0atp-', 'sq0csp-', 'sq0idp-'),
  ...exactly(HEX, 32)('Mailgun', 'key-'),
  ...rule(HEX, 60)('Brevo', 'xkeysib-'),
  ...exactly(HEX, 64)('DigitalOcean', 'dop_v1_', 'doo_v1_', 'dor_v1_'),
  ...rule(HEX, 32)('Databricks', 'dapi'),
  ...exactly(BASE62, 40)('Linear', 'lin_api_'),
  ...rule(BASE62, 40)('Notion', 'secret_', 'ntn_'),
  ...rule(BASE64_URL, 36)('Figma', 'figd_'),
  ...rule(BASE64_URL, 50)('Postman', 'PMAK-'),
  ...exactly(BASE62, 27)('New Relic', 'NRAK-'),
  ...rule(BASE62, 32)('Grafana', 'glsa_', 'glc_'),
  ...rule(BASE64_URL, 24)('HashiCorp Vault', 'hvs.', 'hvb.', 'hvr.'),
  ...rule(BASE64_URL, 36)('Heroku', 'HRKU-'),
  ...rule(BASE62, 36)('Netlify', 'nfp_'),
  ...rule(HEX, 40)('Supabase', 'sbp_'),
  ...rule(BASE64_URL, 22)('Supabase', 'sb_secret_'),
  ...rule(BASE64_URL, 32)('PlanetScale', 'pscale_tkn_', 'pscale_pw_', 'pscale_oauth_'),
  ...rule(TOKEN, 40)('Fly.io', 'fo1_', 'fm1_', 'fm2_'),
  ...rule(BASE64_URL, 32)('Docker Hub', 'dckr_pat_', 'dckr_oat_'),
  ...rule(HEX, 48)('RubyGems', 'rubygems_'),
  ...rule(HEX, 40)('Pulumi', 'pul-'),
  ...rule(TOKEN, 40)('Sentry', 'sntrys_', 'sntryu_'),
  ...rule(TOKEN, 100)('Atlassian', 'ATATT3'),
  ...rule(BASE62, 40)('Doppler', 'dp.pt.', 'dp.st.', 'dp.ct.'),
  ...rule(BASE64_URL, 60)('Dropbox', 'sl.'),
  ...rule(BASE62, 60)('Facebook', 'EAAC', 'EAAG', 'EAAB'),
  ...rule(BASE64_URL, 36)('Plaid', 'access-production-', 'access-sandbox-', 'access-development-'),
  ...rule(BASE32_UPPER, 40)('age', 'AGE-SECRET-KEY-1'),
  ...exactly(BASE64_URL, 43)('Countersign', 'cs_'),
  ...exactly(HEX, 32, 'password')('PostgreSQL md5', 'md5'),
  ...rule(CRYPT, 40, undefined, 'password')('SCRAM', 'SCRAM-SHA-256$', 'SCRAM-SHA-1$'),
  ...rule(CRYPT, 40, undefined, 'password')('Django', 'pbkdf2_sha256$', 'pbkdf2_sha1$', 'bcrypt_sha256$'),
  ...rule(CRYPT, 40, undefined, 'password')('Werkzeug', 'scrypt:', 'pbkdf2:sha256:'),
]
