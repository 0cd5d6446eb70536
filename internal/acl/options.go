package acl

import "github.com/spineldb/spinel/internal/config"

var requirePass = config.String(config.Option{
	Name:      "requirepass",
	Sensitive: true,
	Live:      true,
	Doc: `The password of the default user, which clients must send with AUTH or HELLO before
anything else. Empty means that no password is needed. Connections that have logged in
stay so when it is changed. A server can be asked very many passwords in a second, so
choose a long one, that no person needs to remember.`,
})

// Options are the options of users.
var Options = config.NewGroup("users", requirePass)

// Configure gives the default user the password of the options, now and whenever
// they change.
func (u *Users) Configure(set *config.Set) {
	u.SetDefaultPassword(requirePass.Get(set))
	set.OnChange(requirePass, func() { u.SetDefaultPassword(requirePass.Get(set)) })
}
