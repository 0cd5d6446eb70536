// Package thread tells the operating system's scheduler how the threads of the server are to be
// run: those that answer clients soon and for short, those that walk through all data late and
// for long. Each gets the same share of the processors in the long run, but for GiveWay.
//
// Each call is about the thread of the calling goroutine, which must be locked to it
// (runtime.LockOSThread) and must not be unlocked again, so that the thread ends with the
// goroutine. What the system does not know or allow is left as it is: nothing depends on it
// but delays.
package thread
