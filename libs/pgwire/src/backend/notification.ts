import { Body, HEADER_BYTES } from '../body.ts'
import { BACKEND } from '../tags.ts'
import { cstring, int32, message } from '../message.ts'

/*
 * NotificationResponse => 'A' length processId Int32, channel String, payload String
 */
export interface Notification {
  readonly processId: number
  readonly channel: string
  readonly payload: string
}

export const readNotification = (bytes: Buffer, start: number, end: number): Notification => {
  const body = new Body(bytes, start + HEADER_BYTES, end)
  const notification = { processId: body.int32(), channel: body.cstring(), payload: body.cstring() }
  body.end()
  return notification
}

export const notificationResponse = ({ processId, channel, payload }: Notification): Buffer =>
  message(BACKEND.notificationResponse, int32(processId), cstring(channel), cstring(payload))
