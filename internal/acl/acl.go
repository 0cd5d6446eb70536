// Package acl knows the users of a server: who may log in, and with which passwords.
//
// So far there is one user, default, whom every connection is from its beginning if he
// needs no password. Rights of users are not restricted yet.
//
// # Layout
//
//	Users.byName ──▶ {"default": ●, ...}     replaced as a whole by every change
//	                             ▼
//	                  User{name, nopass, passwords}     never changed once published
//
// Readers take no lock: they see the users as they were when they asked. Changes are
// made one at a time, and publish new values.
//
// # Passwords
//
// A password is kept as its SHA-256, as ACL files have it, so a dump of the memory does
// not show it. To compare takes the same time whatever was sent, whether or not there
// is such a user, and whichever of his passwords it is: all are compared, in constant
// time.
package acl

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
)

// Default is the name of the user that connections begin as.
const Default = "default"

// ErrWrongPass means that there is no such user or that the password is not his: it
// does not say which, or else names could be found out by trying.
var ErrWrongPass = errors.New("acl: wrong name or password")

// A User is one user as he was at some moment.
type User struct {
	name      string
	nopass    bool // any password will do
	passwords [][sha256.Size]byte
}

// Name is the user's name.
func (u *User) Name() string { return u.name }

// matches says whether a password is one of the user's.
func (u *User) matches(password []byte) bool {
	sum := sha256.Sum256(password)
	found := 0
	for i := range u.passwords {
		found |= subtle.ConstantTimeCompare(sum[:], u.passwords[i][:])
	}
	return found == 1 || u.nopass
}

// nobody stands in for users that do not exist. No text has a sum of zeros only, so
// nothing matches him.
var nobody = &User{passwords: make([][sha256.Size]byte, 1)}

// Users are the users of one server. They are safe for concurrent use.
type Users struct {
	mu           sync.Mutex // held by changes
	byName       atomic.Pointer[map[string]*User]
	requiresAuth atomic.Bool
}

// New makes the users of a new server: the default user, who needs no password.
func New() *Users {
	u := &Users{}
	u.byName.Store(&map[string]*User{})
	u.SetDefaultPassword("")
	return u
}

// SetDefaultPassword replaces the passwords of the default user by one, or with "" lets
// him in without. Connections that are logged in stay so.
func (u *Users) SetDefaultPassword(password string) {
	user := &User{name: Default, nopass: password == ""}
	if password != "" {
		user.passwords = [][sha256.Size]byte{sha256.Sum256([]byte(password))}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.publish(user)
	u.requiresAuth.Store(!user.nopass)
}

// publish adds a user or puts him in the place of the one of his name.
func (u *Users) publish(user *User) {
	all := maps.Clone(*u.byName.Load())
	all[user.name] = user
	u.byName.Store(&all)
}

// RequiresAuth says whether a connection must log in before it may do anything else.
func (u *Users) RequiresAuth() bool { return u.requiresAuth.Load() }

// Exists says whether there is a user of a name.
func (u *Users) Exists(name []byte) bool { return u.find(name) != nil }

func (u *Users) find(name []byte) *User { return (*u.byName.Load())[string(name)] }

// Authenticate finds the user of a name and password; the error is ErrWrongPass.
func (u *Users) Authenticate(name, password []byte) (*User, error) {
	user := u.find(name)
	if user == nil {
		user = nobody
	}
	if !user.matches(password) {
		return nil, ErrWrongPass
	}
	return user, nil
}
