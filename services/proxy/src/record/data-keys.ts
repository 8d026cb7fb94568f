import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Commit } from '@countersign/contracts'

/*
 * FORMAT sealed/1
 *   A record's `sealed` part is AES-256-GCM over the exact texts and parameters of its messages, one after the
 *   other, under a data key; the key's id is the additional data. The nonce counts the key's uses from 0: a key has
 *   one owner, so no nonce comes twice. Each event says where its own bytes lie.
 *   A data key lies wrapped (AES-256-GCM under the node's key-encryption key) in <state>/keys/<id>.json.
 *   Erase that file, and the texts of its day can never be read again, while digests and proofs still verify.
 */
type Sealed = NonNullable<Commit['sealed']>

const KEY_BYTES = 32
const IV_BYTES = 12
const DAY_MS = 24 * 60 * 60 * 1000

export interface DataKeys {
  seal(plain: Buffer): Sealed
}

/** Data keys of one worker: a fresh one for each start and each day. */
export const openDataKeys = (stateFolder: string, worker: string, now: () => number): DataKeys => {
  const folder = join(stateFolder, 'keys')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const wrappingKey = keyEncryptionKey(stateFolder)
  let current = newDataKey(folder, wrappingKey, worker, now())
  return {
    seal(plain) {
      if (now() - current.createdAt >= DAY_MS) current = newDataKey(folder, wrappingKey, worker, now())
      return { keyId: current.id, ...encrypt(current.key, current.id, current.uses++, plain) }
    },
  }
}

/** Opens what a worker of this node sealed. Throws when its key has been erased. */
export const openSealed = (stateFolder: string, sealed: Sealed): Buffer => {
  const file = join(stateFolder, 'keys', `${sealed.keyId}.json`)
  const wrapped = JSON.parse(readFileSync(file, 'utf8')) as Ciphertext
  const key = decrypt(keyEncryptionKey(stateFolder), sealed.keyId, wrapped)
  return decrypt(createSecretKey(key), sealed.keyId, sealed)
}

/** Under a key that is used for this alone: to erase it is to erase what it seals. */
export const sealAlone = (stateFolder: string, keyId: string, plain: Buffer): Sealed => {
  const folder = join(stateFolder, 'keys')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const key = wrappedKey(folder, keyEncryptionKey(stateFolder), keyId)
  return { keyId, ...encrypt(key, keyId, 0, plain) }
}

export const openAlone = (stateFolder: string, sealed: Sealed): Buffer => openSealed(stateFolder, sealed)

export const eraseKey = (stateFolder: string, keyId: string): void =>
  rmSync(join(stateFolder, 'keys', `${keyId}.json`), { force: true })

interface Ciphertext {
  readonly iv: string
  readonly tag: string
  readonly data: string
}

interface DataKey {
  readonly id: string
  readonly key: KeyObject
  readonly createdAt: number
  uses: number
}

const newDataKey = (folder: string, wrappingKey: KeyObject, worker: string, createdAt: number): DataKey => {
  const id = `${worker.replaceAll('/', '.')}.${createdAt.toString(36)}`
  return { id, key: wrappedKey(folder, wrappingKey, id), createdAt, uses: 0 }
}

const wrappedKey = (folder: string, wrappingKey: KeyObject, id: string): KeyObject => {
  const key = randomBytes(KEY_BYTES)
  // The wrapping key is used by every start, so its nonces are random.
  const wrapped = encrypt(wrappingKey, id, randomBytes(6).readUIntBE(0, 6), key)
  writeFileSync(join(folder, `${id}.json`), JSON.stringify(wrapped), { mode: 0o600, flush: true })
  return createSecretKey(key)
}

/** Made at the node's first start. A file for now; the same shape serves a key management service. */
const keyEncryptionKey = (stateFolder: string): KeyObject => {
  const file = join(stateFolder, 'key-encryption-key')
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
  try {
    writeFileSync(file, randomBytes(KEY_BYTES), { mode: 0o600, flag: 'wx', flush: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return createSecretKey(readFileSync(file))
}

const encrypt = (key: KeyObject, keyId: string, nonce: number, plain: Buffer): Ciphertext => {
  const iv = Buffer.alloc(IV_BYTES)
  iv.writeUIntBE(nonce, IV_BYTES - 6, 6)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(keyId))
  const data = Buffer.concat([cipher.update(plain), cipher.final()])
  return { iv: iv.toString('base64'), tag: cipher.getAuthTag().toString('base64'), data: data.toString('base64') }
}

const decrypt = (key: KeyObject, keyId: string, { iv, tag, data }: Ciphertext): Buffer => {
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'), { authTagLength: 16 })
  decipher.setAAD(Buffer.from(keyId)).setAuthTag(Buffer.from(tag, 'base64'))
  return Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()])
}
