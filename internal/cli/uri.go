package cli

import (
	"errors"
	"net/url"
	"strings"
)

// setURI takes redis://[[user]:password@][host[:port]][/database]. Whatever it
// does not name keeps its value. A name without a colon before the @ is a
// password, as in redis-cli. User and password may hold %XX.
func (o *options) setURI(uri string) error {
	rest, known := cutScheme(uri)
	switch {
	case strings.HasPrefix(strings.ToLower(uri), "rediss://"):
		return refusef("rediss:// needs TLS, which is not there yet.")
	case !known:
		return refusef("Invalid URI scheme")
	}
	rest, _, _ = strings.Cut(rest, "?")
	authority, database, _ := strings.Cut(rest, "/")

	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		if err := o.setUserInfo(authority[:at]); err != nil {
			return err
		}
		authority = authority[at+1:]
	}
	host, port := authority, ""
	if strings.HasPrefix(authority, "[") { // an IPv6 address has colons of its own
		inside, after, closed := strings.Cut(authority[1:], "]")
		if !closed {
			return refusef("Invalid URI: the address has no closing bracket.")
		}
		host, port = inside, strings.TrimPrefix(after, ":")
	} else if colon := strings.LastIndexByte(authority, ':'); colon >= 0 {
		host, port = authority[:colon], authority[colon+1:]
	}
	if host != "" {
		o.host = host
	}
	var errs [2]error
	if port != "" {
		errs[0] = o.setPort(port)
	}
	if database != "" {
		errs[1] = o.setDatabase(database)
	}
	return errors.Join(errs[:]...)
}

func cutScheme(uri string) (rest string, known bool) {
	for _, scheme := range []string{"redis://", "valkey://"} {
		if len(uri) >= len(scheme) && strings.EqualFold(uri[:len(scheme)], scheme) {
			return uri[len(scheme):], true
		}
	}
	return "", false
}

func (o *options) setUserInfo(info string) error {
	user, password, both := strings.Cut(info, ":")
	if !both {
		user, password = "", info
	}
	var errs [2]error
	user, errs[0] = url.PathUnescape(user)
	password, errs[1] = url.PathUnescape(password)
	if err := errors.Join(errs[:]...); err != nil {
		return refusef("Invalid URI: bad escape in user or password.")
	}
	if user != "" {
		o.user = user
	}
	return setPassword(o, password)
}
