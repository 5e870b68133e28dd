// `npm start`: with BOT_TOKEN the example bot runs on Telegram; without, it is shown against an emulated Telegram.
if (process.env["BOT_TOKEN"]) await import("../examples/notes-bot.ts");
else await import("./demo.ts");
