/*
 * Sync => 'S' length
 */
export const SYNC = Buffer.from([0x53, 0, 0, 0, 4])
