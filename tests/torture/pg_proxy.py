"""pg_proxy.py PORT SERVER_PORT WHAT N FOLDER: stands between a client and PostgreSQL and gets in the way once.

WHAT done      the Nth COMMIT is done, its reply never arrives
     lost      the Nth COMMIT is not passed on
     late      the client is cut off; the server gets the Nth COMMIT a second later
     hold      rows of the Nth COPY wait until FOLDER/go is there
FOLDER/met is made when it has happened.
"""
import os, socket, sys, threading, time

port, server_port, what, wanted, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]
lock, seen = threading.Lock(), 0


def hits(data):
    """Whether these bytes are the Nth of their kind: a query that is COMMIT, or one that begins to send rows."""
    global seen
    text = data[5:].upper() if data[:1] == b"Q" else b""
    # The client reads by COPY (...) TO STDOUT.
    match = text.startswith(b"COPY ") and b" FROM STDIN" in text if what == "hold" else b"COMMIT" in text[:80]
    with lock:
        seen += 1 if match else 0
        return match and seen == wanted


def met():
    open(os.path.join(folder, "met"), "w").close()


def close(*sockets):
    for s in sockets:
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        s.close()


def replies(server, client, mute):
    try:
        while data := server.recv(65536):
            if mute.is_set():
                met()
                break
            client.sendall(data)
    except OSError:
        pass
    close(server, client)


def serve(client):
    server = socket.create_connection(("127.0.0.1", server_port))
    mute = threading.Event()
    threading.Thread(target=replies, args=(server, client, mute), daemon=True).start()
    try:
        while data := client.recv(65536):
            if not hits(data):
                server.sendall(data)
            elif what == "done":
                mute.set()
                server.sendall(data)
            elif what == "lost":
                met()
                break
            elif what == "late":
                mute.set()
                client.shutdown(socket.SHUT_RDWR)
                time.sleep(1)
                server.sendall(data)
                return
            else:
                server.sendall(data)
                met()
                while not os.path.exists(os.path.join(folder, "go")):
                    time.sleep(0.02)
    except OSError:
        pass
    close(server, client)


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen(50)
open(os.path.join(folder, "listening"), "w").close()
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
