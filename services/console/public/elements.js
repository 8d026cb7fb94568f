/**
 * Makes an element. Text goes in as text and never as HTML: there is no way through here to write markup that came
 * from elsewhere.
 */
export const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'onclick' || key === 'onsubmit') made.addEventListener(key.slice(2), value)
    else if (typeof value === 'boolean') made.toggleAttribute(key, value)
    else if (value !== undefined) made.setAttribute(key, value)
  }
  made.append(...children.filter((child) => child !== undefined && child !== ''))
  return made
}

/** Local time to read, UTC to compare. */
export const time = (instant, options = { timeStyle: 'medium' }) =>
  element('time', { datetime: instant, title: instant }, new Date(instant).toLocaleTimeString(undefined, options))

export const byId = (id) => document.getElementById(id)
