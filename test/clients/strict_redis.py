"""What a Python program does with redis-py, as it would be written against Redis.

    python strict_redis.py PORT

Ends with 'N checks passed', or with the first check that does not hold.
"""

import sys
import threading
import time

import redis

PORT = int(sys.argv[1])
checks = 0


def same(got, want):
    global checks
    assert got == want, "got %r, want %r" % (got, want)
    checks += 1


def raises(kind, text, call, *args, **kwargs):
    global checks
    try:
        got = call(*args, **kwargs)
    except kind as error:
        assert text in str(error), "the error says %r, not %r" % (str(error), text)
        checks += 1
    else:
        raise AssertionError("no error, but %r" % (got,))


def strings(r):
    same(r.set("name", "first"), True)
    same(r.get("name"), b"first")
    same(r.set("name", "second"), True)
    same(r.get("name"), b"second")
    same(r.append("name", "!"), 7)
    same(r.getrange("name", 0, 2), b"sec")
    same(r.strlen("name"), 7)
    same(r.delete("name"), 1)
    same(r.get("name"), None)
    same(r.delete("name"), 0)
    same(r.set("bytes", b"\x00\r\n\xff"), True)
    same(r.get("bytes"), b"\x00\r\n\xff")
    same(r.set("größe", "日本"), True)
    same(r.get("größe").decode(), "日本")
    same(r.set("once", 1, nx=True), True)
    same(r.set("once", 2, nx=True), None)
    same(r.set("never", 1, xx=True), None)
    same(r.setnx("once", 3), False)
    same(r.getset("once", 4), b"1")
    big = b"x" * 5_000_000
    same(r.set("big", big), True)
    same(r.get("big") == big, True)


def numbers(r):
    same(r.incr("n"), 1)
    same(r.incr("n", 41), 42)
    same(r.decr("n", 2), 40)
    same(r.incrbyfloat("f", 1.5), 1.5)
    same(r.set("text", "abc"), True)
    raises(redis.ResponseError, "value is not an integer or out of range", r.incr, "text")


def many(r):
    same(r.mset({"m:%d" % i: i for i in range(100)}), True)
    same(r.mget("m:0", "m:99", "m:100"), [b"0", b"99", None])
    same(r.mget(["m:%d" % i for i in range(100)]), [b"%d" % i for i in range(100)])
    same(sorted(r.scan_iter("m:1?", count=7)), [b"m:%d" % i for i in range(10, 20)])
    same(len(list(r.scan_iter("m:*"))), 100)
    same(sorted(r.keys("m:9[0-2]")), [b"m:90", b"m:91", b"m:92"])
    same(r.exists("m:1", "m:2", "m:100"), 2)
    same(r.type("m:1"), b"string")
    same(r.rename("m:1", "m:one"), True)
    raises(redis.ResponseError, "no such key", r.rename, "m:1", "m:one")


def expiry(r):
    same(r.set("soon", "gone", px=40), True)
    same(0 < r.pttl("soon") <= 40, True)
    same(r.setex("later", 100, "here"), True)
    same(99 <= r.ttl("later") <= 100, True)
    same(r.persist("later"), True)
    same(r.ttl("later"), -1)
    same(r.ttl("missing"), -2)
    same(r.expire("later", 50), True)
    same(r.expire("missing", 50), False)
    time.sleep(0.06)
    same(r.get("soon"), None)


def transactions(r):
    with r.pipeline(transaction=True) as pipe:
        same(pipe.set("t", 1).incr("t").get("t").execute(), [True, 2, b"2"])
    with r.pipeline(transaction=False) as pipe:
        for i in range(1000):
            pipe.incr("counter")
        same(pipe.execute(), list(range(1, 1001)))
    with r.pipeline() as pipe:
        pipe.set("t", "text").incr("t").set("after", "ran")
        raises(redis.ResponseError, "value is not an integer", pipe.execute)
        same(r.get("after"), b"ran")

    with r.pipeline() as pipe:
        pipe.watch("t")
        r.set("t", "changed")
        pipe.multi()
        pipe.set("t", "not this")
        raises(redis.WatchError, "Watched variable changed", pipe.execute)
    same(r.get("t"), b"changed")

    def twice(pipe):
        n = int(pipe.get("shared") or 0)
        pipe.multi()
        pipe.set("shared", n + 1)

    def work():
        for _ in range(25):
            r.transaction(twice, "shared")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same(r.get("shared"), b"100")


def server(r):
    same(r.ping(), True)
    same(r.echo("heard"), b"heard")
    same(r.set("k", "v"), True)
    info = r.info()
    same(info["redis_mode"], "standalone")
    same(info["tcp_port"], PORT)
    same(info["db0"]["keys"], r.dbsize())
    same(r.info("server")["redis_version"].startswith("7."), True)
    same(r.config_set("maxmemory", "1gb"), True)
    same(r.config_get("maxmemory"), {"maxmemory": "1073741824"})
    same(r.config_set("maxmemory", "0"), True)
    same(abs(r.time()[0] - time.time()) < 5, True)
    raises(redis.ResponseError, "unknown command", r.execute_command, "NO-SUCH-COMMAND")


def connections(r):
    named = redis.StrictRedis(host="127.0.0.1", port=PORT, db=0, single_connection_client=True)
    same(named.client_setname("python"), True)
    same(named.client_getname() in ("python", b"python"), True)
    same([c["db"] for c in r.client_list() if c["name"] == "python"], ["0"])
    other = redis.StrictRedis(host="127.0.0.1", port=PORT, db=5, decode_responses=True)
    same(other.set("only here", "yes"), True)
    same(other.get("only here"), "yes")
    same(r.get("only here"), None)
    same(other.flushdb(), True)
    url = redis.StrictRedis.from_url("redis://127.0.0.1:%d/5" % PORT)
    same(url.dbsize(), 0)
    named.close()


r = redis.StrictRedis(host="127.0.0.1", port=PORT, db=0)
for part in (strings, numbers, many, expiry, transactions, server, connections):
    r.flushall()
    part(r)
if int(redis.__version__.split(".")[0]) >= 5:  # the same replies in RESP3
    r = redis.StrictRedis(host="127.0.0.1", port=PORT, db=0, protocol=3)
    for part in (strings, numbers, many, expiry, transactions, server):
        r.flushall()
        part(r)
print("redis-py %s: %d checks passed" % (redis.__version__, checks))
