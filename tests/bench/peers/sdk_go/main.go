// The Go SDK's own receiver: client.StartReceiver, which decodes and validates
// each request before it calls the function.
package main

import (
	"context"
	"log"
	"net"
	"os"

	cloudevents "github.com/cloudevents/sdk-go/v2"
)

var received int

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	client, err := cloudevents.NewClientHTTP(cloudevents.WithListener(listener))
	if err != nil {
		log.Fatal(err)
	}
	err = client.StartReceiver(context.Background(), func(event cloudevents.Event) {
		received += len(event.ID())
	})
	log.Fatal(err)
}
