package cmdline

import (
	"errors"
	"net/url"
	"strings"
)

// SetURI takes redis://[[user]:password@][host[:port]][/database]. Whatever it
// does not name keeps its value. A name without a colon before the @ is a
// password, as in Redis's programs. User and password may hold %XX.
func (s *Server) SetURI(uri string) error {
	rest, known := cutScheme(uri)
	switch {
	case isSecure(uri):
		return Refusef("rediss:// needs TLS, which is not there yet.")
	case !known:
		return Refusef("Invalid URI scheme")
	}
	rest, _, _ = strings.Cut(rest, "?")
	authority, database, _ := strings.Cut(rest, "/")

	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		if err := s.setUserInfo(authority[:at]); err != nil {
			return err
		}
		authority = authority[at+1:]
	}
	host, port := authority, ""
	if strings.HasPrefix(authority, "[") { // an IPv6 address has colons of its own
		inside, after, closed := strings.Cut(authority[1:], "]")
		if !closed {
			return Refusef("Invalid URI: the address has no closing bracket.")
		}
		host, port = inside, strings.TrimPrefix(after, ":")
	} else if colon := strings.LastIndexByte(authority, ':'); colon >= 0 {
		host, port = authority[:colon], authority[colon+1:]
	}
	if host != "" {
		s.Host = host
	}
	var errs [2]error
	if port != "" {
		errs[0] = s.SetPort(port)
	}
	if database != "" {
		errs[1] = s.SetDatabase(database)
	}
	return errors.Join(errs[:]...)
}

func cutScheme(uri string) (rest string, known bool) { return cutAny(uri, "redis://", "valkey://") }

func isSecure(uri string) bool {
	_, is := cutAny(uri, "rediss://", "valkeys://")
	return is
}

func cutAny(uri string, schemes ...string) (rest string, found bool) {
	for _, scheme := range schemes {
		if len(uri) >= len(scheme) && strings.EqualFold(uri[:len(scheme)], scheme) {
			return uri[len(scheme):], true
		}
	}
	return "", false
}

func (s *Server) setUserInfo(info string) error {
	user, password, both := strings.Cut(info, ":")
	if !both {
		user, password = "", info
	}
	var errs [2]error
	user, errs[0] = url.PathUnescape(user)
	password, errs[1] = url.PathUnescape(password)
	if err := errors.Join(errs[:]...); err != nil {
		return Refusef("Invalid URI: bad escape in user or password.")
	}
	if user != "" {
		s.User = user
	}
	return s.SetPassword(password)
}
