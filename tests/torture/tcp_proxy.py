"""tcp_proxy.py PORT SERVER_PORT WAY BYTES FOLDER: stands between clients and a server, and resets one connection.

WAY up: the one that has sent BYTES to the server in all; down: the one that has got so many. FOLDER/met is made when it has
happened; after that, and before, everything is passed on.
"""
import os, socket, struct, sys, threading

port, server_port, way, wanted, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]
lock, passed, done = threading.Lock(), 0, False


def hits(n):
    """Whether these bytes are those that go too far; once."""
    global passed, done
    with lock:
        passed += n
        hit = not done and passed >= wanted
        done = done or hit
        return hit


def reset(*sockets):
    for s in sockets:
        try:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.shutdown(socket.SHUT_RD)
        except OSError:
            pass
        s.close()


def pump(source, target, counted):
    try:
        while data := source.recv(16384):
            if counted and hits(len(data)):
                open(os.path.join(folder, "met"), "w").close()
                reset(source, target)
                return
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client):
    server = socket.create_connection(("127.0.0.1", server_port))
    threading.Thread(target=pump, args=(server, client, way == "down"), daemon=True).start()
    pump(client, server, way == "up")


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen(50)
open(os.path.join(folder, "listening"), "w").close()
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
