// Lets a person decide in their browser, and waits where it comes back.
// A program on somebody's own machine listens on a free port (RFC 8252, section 7.3).

import { once } from 'node:events'
import { createServer } from 'node:http'

/**
 * Listen for one person to come back.
 *
 * @param {string} path of the redirect URI that is registered
 * @param {number} port 0 for any that is free: that of a redirect URI on loopback may differ
 */
export async function listen(path, port = 0) {
  const server = createServer((request, response) => {
    response.end('You may close this window.\n')
    server.emit('back', new URL(request.url, redirectUri))
  })
  await once(server.listen(port, '127.0.0.1'), 'listening')
  const redirectUri = `http://127.0.0.1:${server.address().port}${path}`

  /** Send the person to `url`; the URL that they came back to. */
  async function visit(url) {
    const back = once(server, 'back')
    console.error(`Please open ${url}`)
    const [address] = await back
    return address
  }

  function close() {
    server.close()
    server.closeAllConnections()
  }

  return { redirectUri, visit, close }
}
