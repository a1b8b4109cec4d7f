import express from 'express';

/** An application that does nothing. In JavaScript, as the built shop is: nothing is stripped while it starts. */
express().listen(Number(process.argv[2]), '127.0.0.1');
