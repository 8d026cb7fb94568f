/** The wall clock as an instant. Asked for several times a statement, so the text of a millisecond is made once. */
export const instantClock = (): (() => string) => {
  let millisecond = -1
  let text = ''
  return () => {
    const now = Date.now()
    if (now !== millisecond) {
      millisecond = now
      text = new Date(now).toISOString()
    }
    return text
  }
}
