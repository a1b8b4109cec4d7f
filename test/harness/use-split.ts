process.env.TEST_TOPOLOGY = 'split';
