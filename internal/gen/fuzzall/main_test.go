package main

import (
	"slices"
	"testing"
)

func TestFuzzFuncs(t *testing.T) {
	got, err := fuzzFuncs("x_test.go", `package x_test
import "testing"
func FuzzA(f *testing.F) {}
func TestA(t *testing.T) {}
func (s suite) FuzzMethod(f *testing.F) {}
func FuzzHelper() {}
func FuzzB(f *testing.F) {}
`)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"FuzzA", "FuzzB"}; !slices.Equal(got, want) {
		t.Errorf("targets = %q, want %q", got, want)
	}
	if _, err := fuzzFuncs("x_test.go", "not Go"); err == nil {
		t.Error("a file that is not Go is no error")
	}
}
