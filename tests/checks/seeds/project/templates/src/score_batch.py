def init():
    pass


def run(mini_batch):
    return [str(each) for each in mini_batch]
