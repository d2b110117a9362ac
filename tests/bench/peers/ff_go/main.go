// functions-framework-go with one CloudEvent function, as its README shows it.
package main

import (
	"context"
	"log"
	"os"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"
	"github.com/cloudevents/sdk-go/v2/event"
)

var received int

func main() {
	err := funcframework.RegisterCloudEventFunctionContext(
		context.Background(), "/",
		func(_ context.Context, event event.Event) error {
			received += len(event.ID())
			return nil
		})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(funcframework.StartHostPort("127.0.0.1", os.Getenv("PORT")))
}
