package acl_test

import (
	"errors"
	"testing"

	"github.com/spineldb/spinel/internal/acl"
	"github.com/spineldb/spinel/internal/config"
)

// TestAuthenticate: who gets in, without and with a password of the default user.
func TestAuthenticate(t *testing.T) {
	for _, tt := range []struct {
		set            string // the default user's password
		user, password string
		ok             bool
	}{
		{"", "default", "", true},
		{"", "default", "anything", true},
		{"", "Default", "", false}, // names have case
		{"", "", "", false},
		{"", "somebody", "", false},
		{"secret", "default", "secret", true},
		{"secret", "default", "Secret", false},
		{"secret", "default", "secret\x00", false},
		{"secret", "default", "", false},
		{"secret", "somebody", "secret", false},
		{"secret", "", "secret", false},
	} {
		users := acl.New()
		users.SetDefaultPassword(tt.set)
		if got, want := users.RequiresAuth(), tt.set != ""; got != want {
			t.Errorf("password %q: RequiresAuth() = %v", tt.set, got)
		}
		user, err := users.Authenticate([]byte(tt.user), []byte(tt.password))
		switch {
		case tt.ok && (err != nil || user.Name() != tt.user):
			t.Errorf("password %q: %q with %q: %v, %v", tt.set, tt.user, tt.password, user, err)
		case !tt.ok && (!errors.Is(err, acl.ErrWrongPass) || user != nil):
			t.Errorf("password %q: %q with %q gets in", tt.set, tt.user, tt.password)
		}
	}
}

// TestPasswordChanges: the old password is void at once, and "" needs none again.
func TestPasswordChanges(t *testing.T) {
	users := acl.New()
	try := func(password string) bool {
		_, err := users.Authenticate([]byte(acl.Default), []byte(password))
		return err == nil
	}
	for _, step := range []struct {
		set      string
		a, b     bool // whether the passwords a and b work
		required bool
	}{
		{"a", true, false, true},
		{"b", false, true, true},
		{"", true, true, false},
		{"a", true, false, true},
	} {
		users.SetDefaultPassword(step.set)
		if try("a") != step.a || try("b") != step.b || users.RequiresAuth() != step.required {
			t.Errorf("after %q: a %v, b %v, required %v", step.set, try("a"), try("b"), users.RequiresAuth())
		}
	}
	if !users.Exists([]byte("default")) || users.Exists([]byte("other")) {
		t.Error("there is one user, default")
	}
}

// TestRequirePass: the option sets the password when the server starts and later.
func TestRequirePass(t *testing.T) {
	schema := config.NewSchema(acl.Options)
	set, users := schema.NewSet(), acl.New()
	users.Configure(set)
	if users.RequiresAuth() {
		t.Error("a password is needed by default")
	}
	change := func(to string) {
		t.Helper()
		if err := set.ConfigSet([][]byte{[]byte("requirepass"), []byte(to)}, false); err != nil {
			t.Error(err)
		}
	}
	change("hunter2")
	if _, err := users.Authenticate([]byte("default"), []byte("hunter2")); err != nil || !users.RequiresAuth() {
		t.Errorf("%v, required %v", err, users.RequiresAuth())
	}
	again := acl.New()
	again.Configure(set)
	if !again.RequiresAuth() {
		t.Error("Configure does not look at the option's value")
	}
	change("")
	if users.RequiresAuth() {
		t.Error("a password is still needed")
	}
	if !schema.IsSensitive("requirepass") {
		t.Error("the password is no secret")
	}
}

// Whether a password is needed is asked on the way of requests.
func TestAuthenticateAllocatesNothing(t *testing.T) {
	users := acl.New()
	users.SetDefaultPassword("secret")
	name, password := []byte("default"), []byte("secret")
	if n := testing.AllocsPerRun(100, func() {
		if !users.RequiresAuth() {
			t.Fatal("no password needed")
		}
		if _, err := users.Authenticate(name, password); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
