"""An HTTP server on 127.0.0.1 that lives as long as its `with`."""

import http.server
import threading


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # a connection beyond it waits a second
    daemon_threads = True


class StandIn:
    """The base of stand-ins. A subclass calls listen() in its __init__."""

    def listen(self, handler, port=0, context=None):
        """Takes a port, a free one for 0; `context`: TLS. Answers from the
        beginning of the `with` on."""
        self.server = _Server(("127.0.0.1", port), handler)
        if context:
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True)
        self.port = self.server.server_port
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.05})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *why):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
